//! The table and CSV; JSON is what most other tests read.

use crate::capture::{Capture, sample, udp};
use crate::run::{flows, folder_with, over, printed, text};
use crate::terminal::PseudoTerminal;

#[test]
fn the_table_lines_up_and_ends_with_the_totals() {
    let table = printed(&sample(), &[]);
    let (rows, name) = table
        .rsplit_once('\n')
        .unwrap()
        .0
        .rsplit_once('\n')
        .unwrap();
    let expected = "\
Prot  A                   B                  A to B  B to A Frames    %
tcp   10.0.0.1:50000      192.0.2.10:443    2.00 kB 9.00 kB      3 80.9
udp   10.0.0.3:1000       10.0.0.4:2000     1.51 kB     0 B      1 11.1
udp   10.0.0.3            10.0.0.4            600 B     0 B      1  4.4
udp   [2001:db8::1]:4000  [2001:db8::2]:53    200 B     0 B      1  1.5
udp   10.0.0.1:53         10.0.0.2:5353         0 B   100 B      1  0.7
icmp  10.0.0.1            192.0.2.10           98 B     0 B      1  0.7

           Frames    Bytes         Rate    %
IPv4            7  13.3 kB  28.0 kbit/s 97.9
IPv6            1    200 B    421 bit/s  1.5
Non-IP          1     60 B    126 bit/s  0.4
Malformed       1     20 B     42 bit/s  0.1
All            10  13.6 kB  28.6 kbit/s  100
";
    assert_eq!(rows, expected);
    assert!(
        name.ends_with("/capture.pcap: 3.80 s from 2023-11-14T22:13:20.100Z"),
        "{name}"
    );
}

#[test]
fn what_is_not_shown_is_counted_below_the_rows() {
    let table = printed(&sample(), &["--top", "1", "--by", "host"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("10.0.0.1 "), "{table}");
    let rest = "6 more hosts: 15.8 kB in 11 frames, 116 %; --top all shows them";
    assert_eq!(lines[2], rest, "{table}");
}

#[test]
fn no_line_over_ipv4_is_wider_than_a_terminal() {
    use crate::capture::tcp;
    let frame = tcp("198.51.100.254:65535", "203.0.113.253:65534");
    let capture =
        Capture::new()
            .frame(0, 4_000_000_000, &frame)
            .frame(1_000_000, 4_000_000_000, &frame);
    for view in ["flow", "pair", "host", "port", "protocol", "vlan"] {
        let table = printed(&capture, &["--by", view]);
        let name = table.lines().last().unwrap();
        for line in table.lines().filter(|line| *line != name) {
            assert!(line.chars().count() <= 80, "{line}");
            assert_eq!(line.trim_end(), line);
        }
    }
}

#[test]
fn csv_has_a_header_and_a_row_per_group() {
    let csv = |view| printed(&sample(), &["--format", "csv", "--by", view, "--top", "2"]);
    let times = ",2023-11-14T22:13:20.100000Z,2023-11-14T22:13:21.100000Z";
    assert_eq!(
        csv("flow"),
        format!(
            "protocol,a,a_port,b,b_port,packets_ab,bytes_ab,packets_ba,bytes_ba,first,last\r\n\
             tcp,10.0.0.1,50000,192.0.2.10,443,2,2000,1,9000{times}\r\n\
             udp,10.0.0.3,1000,10.0.0.4,2000,1,1514,0,0,\
             2023-11-14T22:13:23.000000Z,2023-11-14T22:13:23.000000Z\r\n"
        )
    );
    let columns = |view| {
        let csv = csv(view);
        let row = csv.lines().nth(1).unwrap().to_owned();
        let (row, _) = row.rsplit_once(",2023").unwrap();
        let (row, _) = row.rsplit_once(",2023").unwrap();
        (csv.lines().next().unwrap().to_owned(), row.to_owned())
    };
    let sent = "packets_sent,bytes_sent,packets_received,bytes_received,first,last";
    for (view, header, row) in [
        (
            "pair",
            "a,b,packets_ab,bytes_ab,packets_ba,bytes_ba,first,last".to_owned(),
            "10.0.0.1,192.0.2.10,3,2098,1,9000",
        ),
        ("host", format!("address,{sent}"), "10.0.0.1,3,2098,2,9100"),
        (
            "port",
            format!("protocol,port,{sent}"),
            "tcp,443,1,9000,2,2000",
        ),
        (
            "protocol",
            "protocol,packets,bytes,first,last".to_owned(),
            "tcp,3,11000",
        ),
        (
            "vlan",
            "vlan,packets,bytes,first,last".to_owned(),
            ",7,13412",
        ),
    ] {
        assert_eq!(columns(view), (header, row.to_owned()), "{view}");
    }
}

#[test]
fn csv_of_flows_lists_what_has_no_ports_too() {
    let csv = printed(&sample(), &["--format", "csv"]);
    assert!(
        csv.contains("\r\nicmp,10.0.0.1,,192.0.2.10,,1,98,0,0,"),
        "{csv}"
    );
    assert!(
        csv.contains("\r\nudp,10.0.0.3,,10.0.0.4,,1,600,0,0,"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 1 + 6);
}

#[test]
fn a_capture_without_frames_is_no_error() {
    let table = printed(&Capture::new(), &[]);
    assert!(table.ends_with("/capture.pcap: no frames\n"), "{table}");
    assert_eq!(
        printed(&Capture::new(), &["--format", "csv"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut capture = Capture::new();
    for port in 1..=20_000_u64 {
        let frame = udp(&format!("10.0.0.1:{port}"), "10.0.0.2:53");
        capture = capture.frame(port, 60, &frame);
    }
    let folder = folder_with(capture.bytes());
    for arguments in [
        ["--format", "json", "--by", "flow"],
        ["--format", "csv", "--interval", "1ms"],
        ["--format", "table", "--by", "flow"],
    ] {
        let mut child = flows()
            .arg(folder.path().join("capture.pcap"))
            .args(arguments)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn help_has_the_tool_s_own_options_and_examples() {
    let help = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bwmon-agent"));
        let output = command.args(words).output().unwrap();
        assert!(output.status.success());
        text(&output.stdout)
    };
    for words in [["flows", "--help"], ["help", "flows"]] {
        let text = help(&words);
        for part in [
            "--interval",
            "--by",
            "Exit code",
            "bwmon-agent flows capture.pcap",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("--collector"), "{text}");
    }
    assert!(help(&["--help"]).contains("\n  flows "));
}

#[test]
fn a_narrow_terminal_has_two_lines_for_a_row_and_whole_addresses() {
    let (a, b) = (
        "[2001:db8:1111:2222:3333:4444:5555:6666]:50000",
        "[2001:db8:1111:2222:3333:4444:5555:7777]:50001",
    );
    let one = format!("udp   {a}  {b}   200 B    0 B      1 100\r\n");
    let two = format!("udp   {a}  200 B      1 100\r\n      {b}    0 B\r\n");
    let capture = Capture::new().frame(0, 200, &udp(a, b));
    let folder = folder_with(capture.bytes());
    for (columns, rows) in [(80, &two), (200, &one)] {
        let mut terminal = PseudoTerminal::open(columns, 24);
        let mut command = flows();
        command.arg(folder.path().join("capture.pcap"));
        terminal.spawn(command);
        terminal.wait_for(rows);
        assert!(terminal.wait().success());
    }
}

#[test]
fn wrong_usage_is_no_damage() {
    let folder = folder_with(sample().bytes());
    let path = folder.path().join("capture.pcap");
    for wrong in [
        ["--by", "colour"],
        ["--top", "-1"],
        ["--interval", "0s"],
        ["--interval", "soon"],
        ["--max-memory", "1kB"],
        ["--interface", "lo"],
        ["--duration", "1s"],
    ] {
        let output = over(&path, &wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(text(&output.stderr).starts_with("error:"), "{wrong:?}");
    }
    let output = over(&path, &["--top", "-1"]);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("a whole number from 0 on, or `all`"),
        "{errors}"
    );
    let output = flows().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("FILE|-") && errors.contains("--interface <IF>"),
        "{errors}"
    );
}

#[test]
fn settings_of_the_agent_before_the_command_are_refused() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bwmon-agent"));
    let output = command
        .args(["--interval", "5s", "flows", "x.pcap", "--by", "host"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("write `bwmon-agent flows`"), "{errors}");
}
