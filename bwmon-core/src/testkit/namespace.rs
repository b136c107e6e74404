//! Linux namespaces of a test's own, made by an ordinary user: real interfaces, packets and mounts
//! that the host never sees.
//!
//! Each function runs the calling test again, by its name, in a process of its own under
//! `unshare(1)`, and there calls `body`. A test that is refused its namespaces fails and says why;
//! only `BWMON_SKIP_NAMESPACE_TESTS=1` skips it, and that is told on standard error even where the
//! test harness keeps a passing test's words to itself.
//!
//! ```no_run
//! # use bwmon_core::testkit::namespace;
//! #[test]
//! fn loopback_counts_what_is_sent() {
//!     namespace::in_network("loopback_counts_what_is_sent", || {
//!         namespace::sh("ping -c 1 127.0.0.1");
//!     });
//! }
//! ```

// A namespace is entered by a process of its own.
#![allow(clippy::disallowed_methods)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Set in the process that is inside.
const INSIDE: &str = "BWMON_TEST_INSIDE_NAMESPACE";
/// Set to 1 by whoever wants these tests left out.
const SKIP: &str = "BWMON_SKIP_NAMESPACE_TESTS";

const USER: [&str; 2] = ["--user", "--map-root-user"];
const MOUNTS: [&str; 1] = ["--mount"];
const NETWORK: [&str; 2] = ["--net", "--mount"];
const PROCESSES: [&str; 4] = ["--pid", "--fork", "--kill-child", "--mount-proc"];

/// Runs `body` as root of user, network and mount namespaces of its own, with `lo` up, `/sys`
/// showing the namespace and an empty `/run`. `test` is the full name of the calling test.
///
/// # Panics
/// When the test fails inside, or the system refuses the namespaces: with what it said, and how to
/// permit them.
pub fn in_network(test: &str, body: impl FnOnce()) {
    enter(test, &NETWORK, with_network(body));
}

/// As [`in_network`], and whatever processes the test starts end with it.
///
/// # Panics
/// As [`in_network`].
pub fn in_network_with_processes(test: &str, body: impl FnOnce()) {
    enter(
        test,
        &[NETWORK.as_slice(), &PROCESSES].concat(),
        with_network(body),
    );
}

/// Runs `body` as root of user and mount namespaces of its own: it may mount and unmount.
///
/// # Panics
/// As [`in_network`].
pub fn in_mounts(test: &str, body: impl FnOnce()) {
    enter(test, &MOUNTS, body);
}

/// Runs `body` in a user namespace of its own: without any privilege over the network and the
/// mounts that it sees, even where the caller is root.
///
/// # Panics
/// As [`in_network`].
pub fn without_privilege(test: &str, body: impl FnOnce()) {
    enter(test, &[], body);
}

/// Runs a shell script in the calling thread's namespaces.
///
/// # Panics
/// When one of its commands fails, with what it said.
pub fn sh(script: &str) {
    let output = Command::new("sh")
        .args(["-ec", script])
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run sh: {error}"));
    assert!(
        output.status.success(),
        "`{script}`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn with_network(body: impl FnOnce()) -> impl FnOnce() {
    || {
        sh("mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; ip link set lo up");
        body();
    }
}

fn enter(test: &str, namespaces: &[&str], body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    if std::env::var_os(SKIP).is_some_and(|value| value == "1") {
        // Not `eprintln`, which the harness keeps to itself where a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "\n*** SKIPPED {test}: {SKIP}=1 says so; nothing was tested ***"
        );
        return;
    }
    judge(test, &again(test, namespaces));
}

fn again(test: &str, namespaces: &[&str]) -> Output {
    let binary = std::env::current_exe()
        .unwrap_or_else(|error| panic!("the path of the test's binary is unknown: {error}"));
    Command::new("unshare")
        .args(USER)
        .args(namespaces)
        .arg("--")
        .arg(binary)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run unshare (package util-linux): {error}"))
}

fn judge(test: &str, output: &Output) {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        out.contains("running "),
        "{test}: this system refuses user namespaces: {err}\npermit them (sysctl \
         user.max_user_namespaces, kernel.unprivileged_userns_clone, \
         kernel.apparmor_restrict_unprivileged_userns), or set {SKIP}=1 to leave such tests out"
    );
    assert!(
        output.status.success() && out.contains("1 passed"),
        "{test} failed in its namespace: {}\n--- stdout\n{out}\n--- stderr\n{err}",
        output.status
    );
}
