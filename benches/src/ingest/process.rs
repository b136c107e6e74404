//! What the kernel says of a process (proc(5)), and how many files this one may open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// What the threads of a process have run so far, in nanoseconds (schedstat). Those that ended are not in
/// it: servers keep theirs.
///
/// # Errors
/// Where there is no such process.
pub fn run_time(process: u32) -> Result<u64, String> {
    let folder = format!("/proc/{process}/task");
    let tasks = std::fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
    let ran = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Ok(ran.sum())
}

/// The most memory that a process has had resident so far, in KiB (`VmHWM`).
///
/// # Errors
/// Where there is no such process.
pub fn peak_kib(process: u32) -> Result<u64, String> {
    let file = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| format!("{file} has no VmHWM"))
}

/// Lets this process open so many files.
///
/// # Errors
/// Where the hard limit is lower.
pub fn allow_files(files: u64) -> Result<(), String> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < files) {
        return Err(format!(
            "{files} open files are needed, and the hard limit is {}: raise it (`ulimit -Hn`)",
            limit.maximum.unwrap_or(0)
        ));
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| format!("cannot raise the limit of open files: {error}"))
}
