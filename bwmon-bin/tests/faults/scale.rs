//! How much of it: a short form in every run of the tests, all of it with `make soak`.

use std::env;
use std::fmt::Debug;
use std::fs::OpenOptions;
use std::io::Write;
use std::str::FromStr;

/// Set to `full` by `make soak`.
const SOAK: &str = "BWMON_SOAK";
/// A file that what was done is added to.
const LOG: &str = "BWMON_SOAK_LOG";

/// `short` in an ordinary run, `full` in a soak; the variable `name` overrides both.
pub(crate) fn of<T: FromStr<Err: Debug>>(name: &str, short: T, full: T) -> T {
    let is_full = env::var(SOAK).is_ok_and(|value| value == "full");
    match env::var(name) {
        Ok(value) => value.parse().unwrap(),
        Err(_) if is_full => full,
        Err(_) => short,
    }
}

/// What a test did, for whoever runs it by hand: on standard error, which a test that passes within
/// namespaces keeps to itself, and in the file that `make soak` names.
pub(crate) fn say(what: &str) {
    eprintln!("{what}");
    if let Some(path) = env::var_os(LOG) {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        writeln!(log, "{what}").unwrap();
    }
}
