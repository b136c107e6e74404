use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

use super::wait_for;

const BINARY: &str = env!("CARGO_BIN_EXE_bwmon-agent");
/// The user `nobody` on every Linux.
const NOBODY: u32 = 65_534;

/// The identity that [`enrol_by_hand`] gives.
pub(crate) const AGENT_ID: &str = "000102030405060708090a0b0c0d0e0f";
/// The credential that [`enrol_by_hand`] gives.
pub(crate) const CREDENTIAL: &str =
    "7f3a9c51e20b6d847f3a9c51e20b6d847f3a9c51e20b6d847f3a9c51e20b6d84";

/// Leaves in `data` what an enrolment with the collector leaves there.
pub(crate) fn enrol_by_hand(data: &Path, collector: &str) {
    fs::create_dir_all(data).unwrap();
    let path = data.join("credential");
    let enrolled = serde_json::json!({
        "agent": AGENT_ID,
        "collector": collector,
        "token": "0011223344556677",
        "credential": CREDENTIAL,
    });
    fs::write(&path, enrolled.to_string()).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

/// A running agent with a data folder of its own; killed when dropped.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    data: PathBuf,
    folder: TempDir,
}

impl Agent {
    /// Reports to `collector`, every second unless told otherwise.
    pub(crate) fn start(collector: &str, extra: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), collector, extra)
    }

    /// The same in the folder that an earlier agent left.
    pub(crate) fn start_in(folder: TempDir, collector: &str, extra: &[&str]) -> Self {
        let data = folder.path().join("data");
        enrol_by_hand(&data, collector);
        let mut command = Self::command(&data);
        if !extra.contains(&"--interval") {
            command.args(["--interval", "1s"]);
        }
        command.args(["--collector", collector]).args(extra);
        Self::spawn(folder, command)
    }

    /// The binary with its data in `data`, without an environment that a developer may have.
    pub(crate) fn command(data: &Path) -> Command {
        let mut command = Command::new(BINARY);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BWMON_") {
                command.env_remove(name);
            }
        }
        command.env("BWMON_DATA", data).stdin(Stdio::null());
        command
    }

    /// Spawns `command`, with what it logs in the folder.
    pub(crate) fn spawn(folder: TempDir, mut command: Command) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.path().join("log"));
        let child = command
            .stderr(log.unwrap())
            .spawn()
            .expect("the agent starts");
        Self {
            child,
            data: folder.path().join("data"),
            folder,
        }
    }

    /// Runs to the end.
    pub(crate) fn output(mut command: Command) -> Output {
        command.output().expect("the agent starts")
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .expect("kill");
        assert!(status.success());
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_for("the agent to end", || self.child.try_wait().unwrap())
    }

    /// SIGTERM; the end must be orderly.
    pub(crate) fn stop(mut self) -> TempDir {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
        self.keep_folder()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.keep_folder()
    }

    fn keep_folder(&mut self) -> TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Errors say that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the test itself has privileges that the agent must be freed of.
fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A copy of the binary that runs without any privilege, with a data folder that it can write.
pub(crate) fn as_nobody() -> (TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let (binary, data) = (
        folder.path().join("bwmon-agent"),
        folder.path().join("data"),
    );
    // By another process: a file that is open for writing here is inherited by what other tests start
    // at this moment, and cannot be executed until they have ended.
    let copied = Command::new("cp").arg(BINARY).arg(&binary).status();
    assert!(copied.unwrap().success());
    enrol_by_hand(&data, "http://127.0.0.1:9");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new(&binary);
    command
        .env_clear()
        .env("BWMON_DATA", &data)
        .stdin(Stdio::null());
    if is_root() {
        std::os::unix::fs::chown(data.join("credential"), Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    (folder, command)
}
