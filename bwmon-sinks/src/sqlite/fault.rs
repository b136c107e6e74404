//! What a store refuses for good, and why.

use std::time::Duration;

use bwmon_core::report::{CLOCK_REFUSAL, FUTURE_LIMIT, Interval, Record, RecordBody};
use bwmon_core::time::Timestamp;

/// Longest window: windows that were merged or slept through are long, but not years.
const LONGEST_WINDOW: Duration = Duration::from_secs(31 * 86_400);
/// Use of processor or memory in percent, with room for a clock's grain.
const PERCENT: std::ops::RangeInclusive<f32> = 0.0..=101.0;
/// JSON carries integers exactly up to here (RFC 8259, section 6).
const MAX_SEQ: u64 = (1 << 53) - 1;

/// Why `record`, received at `now`, will never be taken; `None` if nothing is wrong with it.
pub(super) fn find(record: &Record, now: Timestamp) -> Option<String> {
    if record.seq == 0 {
        return Some("sequence number 0: they start at 1".to_owned());
    }
    if record.seq > MAX_SEQ {
        return Some(format!("sequence number above {MAX_SEQ}"));
    }
    match &record.body {
        RecordBody::Report(interval) => in_interval(interval, now),
        RecordBody::Dropped(dropped) if dropped.from_seq == 0 || dropped.from_seq > record.seq => {
            Some("dropped range: from_seq must be between 1 and the record's own seq".to_owned())
        }
        RecordBody::Dropped(_) | RecordBody::EpochStart(_) => None,
    }
}

fn in_interval(interval: &Interval, now: Timestamp) -> Option<String> {
    let end = interval.window.end();
    if end > now.plus(FUTURE_LIMIT) {
        return Some(format!(
            "{CLOCK_REFUSAL} the window ends {} s after the collector's time; set the host's clock",
            end.since(now).as_secs()
        ));
    }
    if interval.window.duration() > LONGEST_WINDOW {
        let days = interval.window.duration().as_secs() / 86_400;
        return Some(format!("a window of {days} days, at most 31 are taken"));
    }
    let host = interval.host.as_ref()?;
    let cpu = host.cpu.as_ref();
    let cores = cpu.into_iter().flat_map(|cpu| &cpu.cores_percent);
    let percents = cores.chain(cpu.map(|cpu| &cpu.total_percent));
    let load = host.load.map(|load| [load.one, load.five, load.fifteen]);
    if !percents.copied().all(|percent| PERCENT.contains(&percent)) {
        return Some("processor use is not between 0 and 100 percent".to_owned());
    }
    if !host
        .memory_percent
        .iter()
        .all(|percent| PERCENT.contains(percent))
    {
        return Some("memory use is not between 0 and 100 percent".to_owned());
    }
    let is_load = |load: f64| load.is_finite() && load >= 0.0;
    (!load.into_iter().flatten().all(is_load)).then(|| "load is not a positive number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bwmon_core::report::{CpuUsage, DropReason, Dropped, Epoch, HostMetrics};
    use bwmon_core::time::Window;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn record(seq: u64, body: RecordBody) -> Record {
        Record {
            epoch: Epoch(1),
            seq,
            body,
        }
    }

    fn report_ending(end: Timestamp) -> RecordBody {
        let length = Duration::from_secs(2);
        RecordBody::Report(Box::new(Interval {
            window: Window::new(end.minus(length), length),
            ..Interval::default()
        }))
    }

    #[test]
    fn a_window_in_the_future_names_the_clock() {
        let limit = NOW.plus(FUTURE_LIMIT);
        assert_eq!(find(&record(1, report_ending(limit)), NOW), None);
        let beyond = limit.plus(Duration::from_secs(1));
        let reason = find(&record(1, report_ending(beyond)), NOW).unwrap();
        assert!(
            reason.starts_with("clock: the window ends 601 s"),
            "{reason}"
        );
        let endless = RecordBody::Report(Box::new(Interval {
            window: Window {
                start: NOW,
                duration_us: u64::MAX,
            },
            ..Interval::default()
        }));
        assert!(find(&record(1, endless), NOW).is_some());
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let dropped = |from_seq| {
            RecordBody::Dropped(Dropped {
                from_seq,
                reports: 1,
                reason: DropReason::QueueFull,
            })
        };
        assert!(find(&record(0, report_ending(NOW)), NOW).is_some());
        assert!(find(&record(1 << 53, report_ending(NOW)), NOW).is_some());
        assert!(find(&record(4, dropped(0)), NOW).is_some());
        assert!(find(&record(4, dropped(5)), NOW).is_some());
        assert_eq!(find(&record(4, dropped(4)), NOW), None);
    }

    #[test]
    fn what_json_cannot_carry_is_refused() {
        let cpu = CpuUsage {
            total_percent: 3.0,
            cores_percent: vec![1.0, f32::NAN],
        };
        let body = RecordBody::Report(Box::new(Interval {
            host: Some(HostMetrics {
                cpu: Some(cpu),
                ..HostMetrics::default()
            }),
            ..Interval::default()
        }));
        assert!(find(&record(1, body), NOW).is_some());
    }
}
