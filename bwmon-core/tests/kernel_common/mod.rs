//! Runs a test inside network and mount namespaces of its own, as an ordinary user may.

use std::env;
use std::process::{Command, Stdio};

const INSIDE: &str = "BWMON_TEST_NAMESPACE";
const SKIP: &str = "BWMON_SKIP_NAMESPACE_TESTS";

/// Whether the test named `test` runs inside namespaces of its own. Outside it re-executes itself
/// there, fails where that is refused, and returns false: the caller then returns at once.
pub(crate) fn is_inside(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    if env::var(SKIP).is_ok_and(|value| value == "1") {
        eprintln!("SKIPPED {test}: {SKIP}=1");
        return false;
    }
    let program = env::current_exe().expect("the path of the test program");
    let prepare = "mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && \
                   ip link set lo up && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--"])
        .args(["sh", "-c", prepare, "sh"])
        .arg(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .output()
        .expect("cannot run unshare (package util-linux)");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{test} failed inside its namespaces, or they were refused; {SKIP}=1 skips it.\n{stdout}{stderr}"
    );
    false
}

/// Runs a shell script and fails the test unless it succeeds.
pub(crate) fn shell(script: &str) {
    let output = Command::new("sh")
        .args(["-ec", script])
        .output()
        .expect("cannot run sh");
    assert!(
        output.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
