//! What the system says of this process (proc(5)).

use std::fs;

use crate::common::exposition::float;

/// Sizes and times of this process; each absent where the system does not say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Process {
    pub(super) resident_bytes: Option<f64>,
    /// User and system time of all threads, ended ones included.
    pub(super) cpu_seconds: Option<f64>,
    pub(super) threads: Option<f64>,
    pub(super) open_files: Option<f64>,
}

impl Process {
    pub(super) fn look() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let ticks = rustix::param::clock_ticks_per_second();
        let page = rustix::param::page_size();
        let mut process = parse(&stat, float(ticks), float(page as u64)).unwrap_or_default();
        // The folder itself is one of them while it is read.
        let files = fs::read_dir("/proc/self/fd").ok();
        process.open_files = files.map(|files| float(files.count().saturating_sub(1) as u64));
        process
    }
}

/// Reads `/proc/self/stat`: fields 14, 15, 20 and 24 after the name, which may hold anything.
fn parse(stat: &str, ticks_per_second: f64, page_bytes: f64) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first one here is field 3.
    let field = |number: usize| -> Option<f64> { fields.get(number - 3)?.parse().ok() };
    Some(Process {
        resident_bytes: field(24).map(|pages| pages * page_bytes),
        cpu_seconds: field(14)
            .zip(field(15))
            .map(|(user, system)| (user + system) / ticks_per_second),
        threads: field(20),
        open_files: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 5 0 99 1000000 1500 18446744073709551615 1";
        let process = parse(stat, 100.0, 4_096.0).unwrap();
        assert_eq!(process.cpu_seconds, Some(3.0));
        assert_eq!(process.threads, Some(5.0));
        assert_eq!(process.resident_bytes, Some(1_500.0 * 4_096.0));
        assert_eq!(parse("", 100.0, 4_096.0), None);
    }

    #[test]
    fn this_process_is_seen() {
        let process = Process::look();
        assert!(process.resident_bytes.unwrap() > 100_000.0, "{process:?}");
        assert!(process.threads.unwrap() >= 1.0 && process.open_files.unwrap() >= 3.0);
    }
}
