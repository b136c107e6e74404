//! Time series: one result per interval of capture time.

use serde_json::Value;

use crate::capture::{Capture, START, sample, udp};
use crate::run::{folder_with, over, printed, text};

fn lines(capture: &Capture, interval: &str) -> Vec<Value> {
    let text = printed(capture, &["--format", "json", "--interval", interval]);
    let line = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

fn starts(lines: &[Value]) -> Vec<u64> {
    let interval = |line: &Value| line["interval"]["start_us"].as_u64();
    lines.iter().filter_map(interval).collect()
}

#[test]
fn intervals_sum_to_the_totals() {
    let expected = crate::run::document(&sample(), &[]);
    for interval in ["1ms", "100ms", "1s", "3s", "1h"] {
        let lines = lines(&sample(), interval);
        let (last, intervals) = lines.split_last().unwrap();
        assert_eq!(last["intervals"], intervals.len());
        assert_eq!(last["totals"], expected["totals"], "{interval}");
        assert_eq!(last["complete"], true);
        assert_eq!(last["window"], expected["window"]);
        for (name, total) in expected["totals"].as_object().unwrap() {
            let counts = intervals
                .iter()
                .map(|line| line["totals"][name].as_u64().unwrap());
            assert_eq!(
                counts.sum::<u64>(),
                total.as_u64().unwrap(),
                "{interval} {name}"
            );
        }
        for line in intervals {
            assert_eq!(line["schema"], "bwmon-flows/1");
            assert!(line["complete"].is_null());
        }
    }
}

#[test]
fn intervals_start_at_multiples_of_their_length_and_hold_their_own_frames() {
    let lines = lines(&sample(), "1s");
    let second = |n: u64| (START + n) * 1_000_000;
    assert_eq!(starts(&lines), [second(0), second(1), second(2), second(3)]);
    let bytes = |at: usize| lines[at]["totals"]["bytes"].as_u64().unwrap();
    assert_eq!(
        [bytes(0), bytes(1), bytes(2), bytes(3)],
        [10_500, 600, 298, 2_194]
    );
    assert_eq!(lines[0]["interval"]["duration_us"], 1_000_000);
    assert_eq!(lines[1]["flows"][0]["bytes_ab"], 500);
    assert_eq!(lines[1]["flows"][1]["bytes_ba"], 100);
}

#[test]
fn empty_intervals_are_left_out_and_late_frames_are_told() {
    let frame = udp("10.0.0.1:1", "10.0.0.2:2");
    let year = 31_536_000_000_000;
    let capture = Capture::new()
        .frame(0, 100, &frame)
        .frame(year, 100, &frame)
        .frame(500, 100, &frame);
    let folder = folder_with(capture.bytes());
    let path = folder.path().join("capture.pcap");
    for format in ["table", "csv", "json"] {
        let output = over(&path, &["--format", format, "--interval", "1ms"]);
        assert_eq!(output.status.code(), Some(0));
        let errors = text(&output.stderr);
        assert!(
            errors.starts_with("bwmon-agent: 1 frame came late, "),
            "{format}: {errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{format}: {errors}");
    }
    let output = over(&path, &["--format", "json", "--interval", "1ms"]);
    let line = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    let lines: Vec<Value> = text(&output.stdout).lines().map(line).collect();
    assert_eq!(
        starts(&lines),
        [START * 1_000_000, START * 1_000_000 + year]
    );
    assert_eq!(lines[1]["late_frames"], 1);
    assert_eq!(lines[1]["totals"]["frames"], 2);
    assert_eq!(lines[2]["late_frames"], 1);
    assert_eq!(lines[2]["totals"]["frames"], 3);
}

#[test]
fn csv_tells_each_row_s_interval() {
    let csv = printed(
        &sample(),
        &["--format", "csv", "--interval", "1s", "--by", "protocol"],
    );
    let mut rows = csv.lines();
    assert_eq!(rows.next(), Some("start,protocol,packets,bytes,first,last"));
    let rows: Vec<String> = rows
        .map(|row| row.split(',').take(4).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(
        rows,
        [
            "2023-11-14T22:13:20.000000Z,tcp,2,10500",
            "2023-11-14T22:13:21.000000Z,tcp,1,500",
            "2023-11-14T22:13:21.000000Z,udp,1,100",
            "2023-11-14T22:13:22.000000Z,udp,1,200",
            "2023-11-14T22:13:22.000000Z,icmp,1,98",
            "2023-11-14T22:13:23.000000Z,udp,2,2114",
        ]
    );
}

#[test]
fn the_table_has_a_heading_per_interval() {
    let table = printed(&sample(), &["--interval", "2s", "--by", "protocol"]);
    assert!(
        table.starts_with("2023-11-14T22:13:20Z: 11.1 kB in 4 frames, 44.4 kbit/s\nProtocol "),
        "{table}"
    );
    assert!(
        table.contains("\n2023-11-14T22:13:22Z: 2.49 kB in 6 frames, 9.97 kbit/s\n"),
        "{table}"
    );
    assert!(table.contains("\nAll "), "{table}");
}
