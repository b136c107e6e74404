use std::net::IpAddr;

use bwmon_core::report::CaptureMethod;
use ratatui_core::backend::TestBackend;
use ratatui_core::terminal::Terminal;
use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::columns::Tab;
use super::super::doubles::{flow, flow_with, update};
use super::super::keys::action;
use super::super::theme::Environment;
use super::*;

fn theme(term: &str) -> Theme {
    Theme::suiting(&Environment {
        term: term.to_owned(),
        locale: "en_US.UTF-8".to_owned(),
        ..Environment::default()
    })
}

/// What stands on a screen of that size, without the blanks at the ends of lines.
fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = theme("xterm-256color");
    terminal.draw(|frame| draw(frame, app, &theme)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| -> String { (0..width).map(|x| buffer[(x, y)].symbol()).collect() };
    let lines: Vec<String> = (0..height).map(|y| line(y).trim_end().to_owned()).collect();
    lines.join("\n")
}

fn press(app: &mut App, code: KeyCode) {
    let key = KeyEvent::new(code, KeyModifiers::NONE);
    app.act(action(key, app.mode()).unwrap());
}

fn type_in(app: &mut App, text: &str) {
    text.chars().for_each(|c| press(app, KeyCode::Char(c)));
}

fn ipv6() -> IpAddr {
    "2001:db8:85a3:8d3:1319:8a2e:370:7348".parse().unwrap()
}

fn app(tab: Tab) -> App {
    let mut app = App::new(tab, None);
    for _ in 0..2 {
        app.apply(update(&[
            flow(1, 443, 1_250_000, 20_000),
            flow_with(ipv6(), 443, 400_000, 5_000),
            flow(2, 53, 300, 90),
        ]));
    }
    app
}

#[test]
fn a_wide_screen_shows_everything() {
    let expected = "\
bwmon top  web-1  on eth0  through af_packet  for 0:02
Rx 13.2 Mbit/s       3 pkt/s  3.30 MB total  Tx  201 kbit/s       3 pkt/s  50.2 kB total  trend                       ██
kernel's bytes 100 % attributed  0 % unattributed  drops 0  overflow 0 B  flows 3
 1 Interfaces  2 Peers  3 Flows  4 Ports  5 Protocols
Peer                                  Rx bit/s  Tx bit/s ▼Sum bit/s  Share                 Trend  Rx total  Tx total   Flows  Rx pkt/s  Tx pkt/s
192.0.2.1                               10.0 M     160 k     10.2 M  █████▎   76 %            ██   2.50 MB   40.0 kB       1         1         1
2001:db8:85a3:8d3:1319:8a2e:370:7348    3.20 M    40.0 k     3.24 M  █▊       24 %            ██    800 kB   10.0 kB       1         1         1
192.0.2.2                               2.40 k       720     3.12 k           <1 %            ██     600 B     180 B       1         1         1

q quit  ? help  / filter  space pause  1-5 view  < > sort  r reverse  arrows select  enter look into                                          1-3 of 3";
    assert_eq!(screen(&mut app(Tab::Peers), 150, 10), expected);
}

#[test]
fn a_narrow_screen_keeps_rates_and_whole_ports_and_marks_what_is_left_out() {
    let mut app = app(Tab::Flows);
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Down);
    let expected = "\
bwmon top  web-1  on eth0  through af_packet  for 0:02
Rx 13.2 Mbit/s       3 pkt/s  3.30 MB total
Tx  201 kbit/s       3 pkt/s  50.2 kB total
 1 Interfaces  2 Peers  3 Flows  4 Ports  5 Protocols
Local     Remote                 Rx bit/s  Tx bit/s ▼Sum bit/s
1…:50000  192.0.2.1:443            10.0 M     160 k     10.2 M
[…:50000  [2001:db8:…:7348]:443    3.20 M    40.0 k     3.24 M
1…:50000  192.0.2.2:53             2.40 k       720     3.12 k


TCP [2001:db8::5]:50000
[2001:db8:85a3:8d3:1319:8a2e:370:7348]:443";
    assert_eq!(screen(&mut app, 64, 12), expected);
}

#[test]
fn a_tiny_screen_keeps_the_rates() {
    let mut app = app(Tab::Peers);
    let expected = "\
Rx 13.2 Mbit/s
Peer       ▼Sum bit/s
192.0.2.1      10.2 M
2001…:7348     3.24 M";
    assert_eq!(screen(&mut app, 21, 4), expected);
    assert_eq!(screen(&mut app, 1, 1), "R");
}

#[test]
fn no_size_is_too_small_in_any_state() {
    for tab in Tab::ALL {
        for keys in ["", "/", "/tcp and (", "?", "jjj", " "] {
            let mut app = app(tab);
            type_in(&mut app, keys);
            for width in (0..23).chain([40, 79, 200]) {
                for height in (0..9).chain([24]) {
                    screen(&mut app, width, height);
                }
            }
        }
    }
}

#[test]
fn before_the_first_refresh_it_says_that_it_waits() {
    let text = screen(&mut App::new(Tab::Peers, None), 80, 8);
    assert!(text.contains("waiting for the first refresh"), "{text}");
}

#[test]
fn an_empty_table_says_why() {
    let mut app = App::new(Tab::Peers, None);
    app.apply(update(&[]));
    assert!(screen(&mut app, 80, 10).contains("no traffic so far"));
    app.apply(update(&[flow(1, 443, 1, 1)]));
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, "port 1");
    assert!(screen(&mut app, 80, 10).contains("nothing matches the filter"));
}

#[test]
fn a_wrong_filter_is_shown_with_its_place_while_it_is_typed() {
    let mut app = app(Tab::Peers);
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, "tcp and prot 443");
    let text = screen(&mut app, 80, 14);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[11..13], ["/tcp and prot 443", "         ^"]);
    assert!(lines[13].contains("did you mean `port`"), "{text}");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.mode(), Mode::Filter, "a wrong filter is not kept");
    press(&mut app, KeyCode::Esc);
    assert!(!screen(&mut app, 80, 14).contains("filter tcp"));
}

#[test]
fn what_is_missing_is_said_in_the_header() {
    let mut app = App::new(Tab::Peers, None);
    let mut update = update(&[flow(1, 443, 1, 1)]);
    update.capture.method = CaptureMethod::SockDiag;
    update.capture.interfaces.clear();
    update.capture.note =
        Some("TCP only: grant it with: sudo setcap cap_net_raw+ep /usr/bin/bwmon-agent".into());
    app.apply(update);
    let text = screen(&mut app, 60, 20);
    assert!(text.contains("through sock_diag"), "{text}");
    assert!(
        text.contains("TCP only: grant it with: sudo setcap cap_net_raw+ep\n/usr/bin/bwmon-agent"),
        "{text}"
    );
}

#[test]
fn losses_are_told() {
    let mut app = App::new(Tab::Peers, None);
    let mut update = update(&[flow(1, 443, 600, 0)]);
    let interface = update.interfaces.values_mut().next().unwrap();
    interface.kernel.as_mut().unwrap().ingress.bytes = 1_000;
    update.dropped = 12_345;
    app.apply(update);
    let text = screen(&mut app, 120, 12);
    for told in [
        "60.0 % attributed",
        "40.0 % unattributed (not seen 40.0 %)",
        "drops 12345 (12.3 k/s)",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn without_colours_everything_is_still_said() {
    let draw_with = |term| {
        let mut terminal = Terminal::new(TestBackend::new(100, 12)).unwrap();
        let theme = theme(term);
        let mut app = app(Tab::Peers);
        terminal
            .draw(|frame| draw(frame, &mut app, &theme))
            .unwrap();
        terminal.backend().buffer().clone()
    };
    let (rich, poor) = (draw_with("xterm-256color"), draw_with("vt100"));
    let text = |buffer: &ratatui_core::buffer::Buffer| -> String {
        buffer.content().iter().map(|cell| cell.symbol()).collect()
    };
    assert_eq!(text(&rich), text(&poor));
    let is_plain = |cell: &ratatui_core::buffer::Cell| {
        cell.fg == ratatui_core::style::Color::Reset && cell.bg == cell.fg
    };
    assert!(poor.content().iter().all(is_plain));
    assert!(!rich.content().iter().all(is_plain));
}

#[test]
fn names_of_an_outside_origin_are_harmless() {
    let mut app = App::new(Tab::Interfaces, None);
    let mut update = update(&[flow(1, 443, 1, 1)]);
    update.host = "a\u{1b}[31mb".to_owned();
    update.interfaces.values_mut().next().unwrap().facts.name = "e\u{7}h".to_owned();
    app.apply(update);
    let text = screen(&mut app, 100, 12);
    assert!(
        text.contains("a\u{fffd}[31mb") && text.contains("e\u{fffd}h"),
        "{text}"
    );
}
