use super::*;
use bwmon_core::frame::{PerDirection, Tally};
use bwmon_core::report::{
    DropReason, Epoch, FlowRow, FlowsLost, HostFacts, HostMetrics, InterfaceFacts,
    InterfaceInterval, KernelCounters,
};
use bwmon_core::time::Window;

const AGENT: AgentId = AgentId(7);

fn live() -> Live {
    let live = Live::new(Duration::from_secs(120), Clock::default());
    live.delivered(AGENT, Timestamp::from_secs(1), []);
    live
}

fn report(live: &Live, key: RecordKey, interval: Interval) {
    report_of(live, AGENT, key, interval);
}

fn report_of(live: &Live, agent: AgentId, key: RecordKey, interval: Interval) {
    let arrival = Arrival {
        key,
        interval: Box::new(interval),
        became: Became::Stored,
    };
    live.delivered(agent, Timestamp::from_secs(1), [arrival]);
}

fn key(epoch: u128, seq: u64) -> RecordKey {
    RecordKey {
        epoch: Epoch(epoch),
        seq,
    }
}

fn flow(interface: Option<&str>, remote: u8, bytes: u64) -> FlowRow {
    FlowRow {
        interface: interface.map(str::to_owned),
        protocol: 6,
        local: [192, 0, 2, 1].into(),
        local_port: 1,
        remote: [198, 51, 100, remote].into(),
        remote_port: 443,
        traffic: PerDirection {
            ingress: Tally { bytes, packets: 1 },
            egress: Tally::default(),
        },
        first: Timestamp::EPOCH,
        last: Timestamp::EPOCH,
        tcp_flags: 0,
    }
}

fn interval(start_s: u64, flows: Vec<FlowRow>) -> Interval {
    let kernel = KernelCounters {
        bytes: 1_000,
        ..KernelCounters::default()
    };
    let interface = |name: &str, is_uplink| InterfaceInterval {
        facts: InterfaceFacts {
            name: name.to_owned(),
            is_uplink,
            ..InterfaceFacts::default()
        },
        kernel: Some(PerDirection {
            ingress: kernel,
            egress: kernel,
        }),
        ..InterfaceInterval::default()
    };
    Interval {
        window: Window::new(Timestamp::from_secs(start_s), Duration::from_secs(2)),
        host: Some(HostMetrics {
            facts: HostFacts {
                hostname: "alpha".to_owned(),
                ..HostFacts::default()
            },
            ..HostMetrics::default()
        }),
        interfaces: vec![interface("eth0", true), interface("br0", false)],
        flows,
        ..Interval::default()
    }
}

#[test]
fn rows_that_were_lost_within_the_minute_are_added_up() {
    let live = live();
    for (number, rows) in [(1, Some(40)), (2, None), (3, Some(2))] {
        let mut interval = interval(1_000 + number * 2, Vec::new());
        let reason = DropReason::SpoolFull;
        interval.flows_lost = rows.map(|rows| FlowsLost { rows, reason });
        report(&live, key(1, number), interval);
    }
    let lost = live.detail(AGENT).unwrap().flows_lost.unwrap();
    assert_eq!((lost.rows, lost.reason), (42, DropReason::SpoolFull));
}

#[test]
fn totals_and_peers_count_uplinks_and_flows_without_an_interface_only() {
    let live = live();
    let flows = vec![
        flow(Some("eth0"), 1, 100),
        flow(Some("br0"), 1, 100),
        flow(Some("br0"), 2, 9_000),
        flow(None, 3, 50),
    ];
    report(&live, key(1, 1), interval(1_000, flows));
    let detail = live.detail(AGENT).unwrap();
    let bytes: Vec<_> = detail
        .peers
        .iter()
        .map(|peer| (peer.address.to_string(), peer.traffic.total_bytes()))
        .collect();
    assert_eq!(
        bytes,
        [
            ("198.51.100.1".to_owned(), 100),
            ("198.51.100.3".to_owned(), 50)
        ]
    );
    assert_eq!(detail.flows.len(), 4);
    assert_eq!(detail.flows[0].flow.traffic.total_bytes(), 9_000);
    let throughput = detail.summary.throughput_bps.unwrap();
    assert_eq!((throughput.ingress, throughput.egress), (4_000.0, 4_000.0));
    assert_eq!(detail.summary.top_peer.unwrap().traffic.total_bytes(), 100);
    assert!(detail.latest.flows.is_empty());
}

#[test]
fn what_a_host_exchanges_with_itself_is_no_peer() {
    let live = live();
    let mut loopback = flow(None, 1, 9_000);
    loopback.remote = [127, 0, 0, 1].into();
    let mut own_address = flow(None, 1, 8_000);
    own_address.remote = own_address.local;
    let flows = vec![loopback, own_address, flow(None, 3, 50)];
    report(&live, key(1, 1), interval(1_000, flows));
    let detail = live.detail(AGENT).unwrap();
    assert_eq!(detail.peers.len(), 1);
    assert_eq!(detail.peers[0].traffic.total_bytes(), 50);
    assert_eq!(detail.flows.len(), 3);
}

#[test]
fn sums_cover_the_last_minute_and_say_so() {
    let live = live();
    for n in 0..60 {
        let flows = vec![flow(Some("eth0"), 1, 1)];
        report(&live, key(1, n + 1), interval(1_000 + n * 2, flows));
    }
    let detail = live.detail(AGENT).unwrap();
    assert_eq!(detail.peers[0].traffic.total_bytes(), 30);
    assert_eq!(detail.window.duration(), Duration::from_secs(60));
    assert_eq!(detail.interfaces[0].kernel.ingress.bytes, 30_000);
    assert_eq!(detail.summary.recent.len(), 60);
}

#[test]
fn a_late_report_counts_but_is_not_the_latest_and_a_clock_set_back_is_no_trap() {
    let live = live();
    report(&live, key(1, 3), interval(1_010, vec![]));
    report(
        &live,
        key(1, 2),
        interval(1_008, vec![flow(Some("eth0"), 1, 5)]),
    );
    let detail = live.detail(AGENT).unwrap();
    assert_eq!(detail.summary.window.start, Timestamp::from_secs(1_010));
    assert_eq!(detail.latest.window, detail.summary.window);
    assert_eq!(detail.peers[0].traffic.total_bytes(), 5);
    report(&live, key(1, 4), interval(500, vec![]));
    let detail = live.detail(AGENT).unwrap();
    assert_eq!(detail.summary.window.start, Timestamp::from_secs(500));
    assert_eq!(detail.window.start, Timestamp::from_secs(500));
}

#[test]
fn memory_is_bounded_by_rows_and_the_window_tells() {
    let live = live();
    let many = |start_s| {
        let rows = (0..50_000_u32).map(|n| {
            let mut row = flow(None, 1, 1);
            row.local = std::net::Ipv4Addr::from_bits(n).into();
            row
        });
        interval(start_s, rows.collect())
    };
    for n in 0..25 {
        report(&live, key(1, n + 1), many(1_000 + n * 2));
    }
    assert!(live.lock().rows <= MAX_ROWS);
    assert_eq!(live.evicted(), 10);
    let minute = live.lock().by_agent[&AGENT].minute();
    assert_eq!(minute.len(), 15);
}

#[test]
fn a_silent_host_turns_stale_once_and_long_intervals_are_waited_for() {
    let live = live();
    report(&live, key(1, 1), interval(1_000, vec![]));
    let mut hosts = live.lock();
    let host = hosts.by_agent.get_mut(&AGENT).unwrap();
    let now = Instant::now();
    let limit = Duration::from_secs(10);
    assert!(!host.turned_stale(now, limit));
    assert!(!host.turned_stale(now + Duration::from_secs(9), limit));
    assert!(host.turned_stale(now + Duration::from_secs(11), limit));
    assert!(!host.turned_stale(now + Duration::from_secs(12), limit));
    let mut slow = Interval::clone(&interval(1_000, vec![]));
    slow.window = Window::new(Timestamp::from_secs(1_000), Duration::from_secs(60));
    host.insert(key(1, 2), Arc::new(slow));
    assert_eq!(
        host.status(now + Duration::from_secs(170), limit),
        HostStatus::Up
    );
    assert_eq!(
        host.status(now + Duration::from_secs(190), limit),
        HostStatus::Stale
    );
}

#[test]
fn summaries_go_out_at_most_once_a_second_and_the_last_is_not_lost() {
    let live = live();
    let mut events = live.subscribe();
    for n in 0..5 {
        report(&live, key(1, n + 1), interval(1_000 + n * 2, vec![]));
    }
    let mut summaries = 0;
    while let Ok(event) = events.try_recv() {
        summaries += u32::from(matches!(event.kind, EventKind::Summary(_)));
    }
    assert_eq!(summaries, 1);
    assert!(live.lock().by_agent[&AGENT].is_held_back());
}

#[test]
fn an_agent_that_only_said_that_it_started_is_no_host_yet() {
    let live = live();
    assert!(live.is_empty() && live.list().hosts.is_empty());
    assert!(live.course(AGENT).is_none() && live.detail(AGENT).is_none());
    report(&live, key(1, 2), interval(1_000, vec![]));
    assert_eq!(live.list().hosts[0].first_seen, Timestamp::from_secs(1));
}

#[test]
fn names_of_enrolled_hosts_are_known_by_what_they_say_last() {
    let named = |name: &str| {
        let mut interval = interval(10, vec![]);
        let host = interval.host.get_or_insert_default();
        name.clone_into(&mut host.facts.hostname);
        interval
    };
    let (live, other) = (live(), AgentId(8));
    let legacy = identity::agent_of("gamma");
    report(&live, key(1, 1), named("Alpha"));
    report_of(&live, other, key(1, 1), named("alpha."));
    report_of(&live, legacy, key(1, 1), named("gamma"));
    assert!(live.is_name_of_enrolled("alpha") && !live.is_name_of_enrolled("gamma"));
    // Two have it, and one goes on.
    report(&live, key(1, 2), named("beta"));
    assert!(live.is_name_of_enrolled("alpha") && live.is_name_of_enrolled("beta"));
    report_of(&live, other, key(1, 2), named("beta"));
    assert!(!live.is_name_of_enrolled("alpha") && live.is_name_of_enrolled("beta"));
    // A late report changes no name.
    report(&live, key(1, 1), named("alpha"));
    assert!(!live.is_name_of_enrolled("alpha"));
}

#[test]
fn sparklines_are_shorter_in_a_list_of_very_many_hosts() {
    let live = live();
    for seq in 1..=70 {
        report(&live, key(1, seq), interval(10 + seq, vec![]));
    }
    let points = || live.list().hosts[0].recent.clone();
    let all = points();
    assert_eq!(all.len(), 60);
    for other in 1_000..11_000_u128 {
        live.delivered(AgentId(other), Timestamp::from_secs(1), []);
    }
    assert_eq!(points(), all[48..]);
    assert_eq!(live.detail(AGENT).unwrap().summary.recent, all);
}

#[test]
fn the_top_peer_of_a_list_is_that_of_the_newest_reports() {
    let live = live();
    let top = || live.list().hosts[0].top_peer.clone();
    assert!(live.list().hosts.is_empty());
    report(
        &live,
        key(1, 1),
        interval(10, vec![flow(Some("eth0"), 1, 100)]),
    );
    assert_eq!(top().unwrap().address.to_string(), "198.51.100.1");
    assert_eq!(top(), top());
    let two = vec![flow(Some("eth0"), 2, 80), flow(Some("eth0"), 2, 90)];
    report(&live, key(1, 2), interval(12, two));
    let peer = top().unwrap();
    assert_eq!(peer.address.to_string(), "198.51.100.2");
    assert_eq!((peer.traffic.ingress.bytes, peer.flows), (170, 1));
    let detail = live.detail(AGENT).unwrap();
    assert_eq!(detail.summary.top_peer, Some(peer));
}
