use std::process::Command;

#[allow(dead_code)]
#[path = "../../../../tests/terminal/mod.rs"]
mod terminal;
#[path = "../../../../tests/wait/mod.rs"]
mod wait;

use super::*;
use terminal::PseudoTerminal;
use wait::wait_for;

/// Set in the process that panics.
const PANICS: &str = "BWMON_TEST_PANICS";

const NAME: &str = "agent::top::screen::tests::a_panic_of_any_thread_gives_the_terminal_back";

#[test]
fn a_panic_of_any_thread_gives_the_terminal_back() {
    if std::env::var_os(PANICS).is_some() {
        panic_in_another_thread();
    }
    let mut terminal = PseudoTerminal::open(80, 24);
    let before = terminal.modes();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", NAME, "--nocapture"])
        .env(PANICS, "1");
    terminal.spawn(command);
    terminal.wait_for("on purpose");
    assert_eq!(terminal.wait().code(), Some(3));
    assert_eq!(terminal.modes(), before);
    assert!(terminal.is_given_back());
}

/// Nothing is dropped here: the hook alone gives the terminal back.
fn panic_in_another_thread() -> ! {
    let screen = Screen::open().unwrap();
    std::mem::forget(screen);
    let thread = std::thread::spawn(|| panic!("on purpose"));
    assert!(thread.join().is_err());
    std::process::exit(3);
}
