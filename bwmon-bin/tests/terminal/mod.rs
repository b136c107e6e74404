//! A program in a pseudo terminal, seen from where the user sits.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use super::wait_for;

/// Both ends of a pseudo terminal, and the program in it.
pub(crate) struct PseudoTerminal {
    user: File,
    program: File,
    shown: Arc<Mutex<Vec<u8>>>,
    child: Option<Child>,
}

impl PseudoTerminal {
    /// One of that many columns and lines.
    pub(crate) fn open(columns: u16, lines: u16) -> Self {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        let name = ptsname(&user, Vec::new()).unwrap();
        let program = File::options()
            .read(true)
            .write(true)
            .open(OsStr::from_bytes(name.as_bytes()))
            .expect("the program's end");
        let size = Winsize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&program, size).unwrap();
        let user = File::from(user);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, seen) = (user.try_clone().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            user,
            program,
            shown,
            child: None,
        }
    }

    /// Starts `command` in it.
    pub(crate) fn spawn(&mut self, mut command: Command) {
        let end = || self.program.try_clone().unwrap();
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn();
        self.child = Some(child.expect("the program starts"));
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.user.write_all(keys.as_bytes()).unwrap();
    }

    /// The modes of the line discipline, all of them.
    pub(crate) fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.program).unwrap())
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Forgets what was shown so far.
    pub(crate) fn forget(&self) {
        self.shown.lock().unwrap().clear();
    }

    /// Waits until `text` is shown.
    pub(crate) fn wait_for(&self, text: &str) {
        wait_for(text, || self.shown().contains(text).then_some(()));
    }

    /// Waits until a signal stopped the program.
    pub(crate) fn wait_until_stopped(&self) {
        let path = format!("/proc/{}/status", self.id());
        wait_for("the program to be stopped", || {
            let status = fs::read_to_string(&path).ok()?;
            status.contains("State:\tT").then_some(())
        });
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = self.child.as_mut().unwrap();
        wait_for("the program to end", || child.try_wait().unwrap())
    }

    /// Whether the screen from before is back, with its cursor.
    pub(crate) fn is_given_back(&self) -> bool {
        wait_for("the screen from before", || {
            let shown = self.shown();
            let last = |sequence: &str| shown.rfind(sequence);
            let is_back = last("\u{1b}[?1049l") > last("\u{1b}[?1049h")
                && last("\u{1b}[?25h") > last("\u{1b}[?25l");
            is_back.then_some(true)
        })
    }
}

impl Drop for PseudoTerminal {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Errors say that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
