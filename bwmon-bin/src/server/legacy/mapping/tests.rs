use super::*;

const PEER: [u8; 4] = [10, 99, 0, 2];

fn read(json: &str) -> Payload {
    serde_json::from_str(json).unwrap()
}

fn mapped(json: &str) -> Mapped {
    map(read(json), PEER.into(), now()).unwrap()
}

/// Some days after the recorded reports.
fn now() -> Timestamp {
    moment("2026-11-28T00:00:00Z").unwrap()
}

fn recorded() -> Mapped {
    mapped(include_str!(
        "../../../../tests/server_legacy/payloads/with-ping-and-peer.json"
    ))
}

#[test]
fn what_was_measured_comes_through_in_our_units() {
    let Mapped {
        name,
        interval,
        is_clock_replaced,
        values_skipped,
        ..
    } = recorded();
    assert_eq!(
        (name.as_str(), is_clock_replaced, values_skipped),
        ("web-01", false, 0)
    );
    assert_eq!(interval.window.duration_us, 2_020_000);
    assert_eq!(
        Some(interval.window.end()),
        moment("2026-11-22T23:17:57.404786Z")
    );
    let host = interval.host.unwrap();
    assert_eq!(host.cpu.unwrap().total_percent, 100.0);
    assert_eq!((host.memory, host.memory_percent), (None, Some(9.4)));
    assert_eq!(host.facts.addresses, [IpAddr::from(PEER)]);
    let mount = &host.mounts[0];
    assert_eq!(mount.total_bytes, 270_550_727_393);
    assert!((mount.used_percent().unwrap() - 20.5).abs() < 1e-6);
    let disk = host.disks.iter().find(|disk| disk.name == "vda").unwrap();
    let delta = disk.delta.unwrap();
    assert_eq!(
        (delta.read_bytes, delta.written_bytes),
        (2_977_904, 20_964_118)
    );
    assert_eq!((delta.reads, delta.writes), (153, 69));
}

#[test]
fn interfaces_keep_their_bytes_and_only_real_links_are_uplinks() {
    let interfaces = recorded().interval.interfaces;
    let names: Vec<_> = interfaces
        .iter()
        .map(|it| {
            (
                it.facts.name.as_str(),
                it.facts.is_uplink,
                it.facts.speed_bps,
            )
        })
        .collect();
    assert_eq!(
        names,
        [("lo", false, None), ("eth0", true, Some(10_000_000_000))]
    );
    let kernel = interfaces[1].kernel.unwrap();
    assert_eq!((kernel.egress.bytes, kernel.ingress.bytes), (5_226_470, 0));
    // Nothing is claimed about where these bytes went.
    assert!(interfaces.iter().all(|it| it.conservation.is_none()));
    for name in [
        "docker0",
        "br-12ab",
        "veth9",
        "tun0",
        "wg0",
        "Loopback Pseudo-Interface 1",
    ] {
        assert!(!is_uplink(kind(name)), "{name}");
    }
    for name in ["eth0", "wlan0", "enp3s0", "Ethernet", "Wi-Fi", "bond0"] {
        assert!(is_uplink(kind(name)), "{name}");
    }
}

#[test]
fn both_directions_of_a_pair_are_one_row() {
    let interval = recorded().interval;
    let [row] = &interval.flows[..] else {
        panic!("{:?}", interval.flows);
    };
    let bytes = |tally: Tally| (tally.bytes, tally.packets);
    assert_eq!(row.remote, IpAddr::from([10, 99, 0, 3]));
    assert_eq!(bytes(row.traffic.egress), (2_892_750, 0));
    assert_eq!(bytes(row.traffic.ingress), (98, 0));
    assert_eq!((row.protocol, &row.interface), (255, &None));
    assert_eq!(
        (row.first, row.last),
        (interval.window.start, interval.window.end())
    );
}

#[test]
fn a_round_of_pings_is_told_once_although_it_is_sent_again_and_again() {
    let probes = recorded().interval.probes;
    assert_eq!(probes.len(), 2);
    assert_eq!((probes[1].sent, probes[1].lost), (1, 0));
    assert_eq!((probes[1].min_us, probes[1].mean_us), (None, Some(30)));
    let later = include_str!("../../../../tests/server_legacy/payloads/with-ping-and-peer.json")
        .replace("23:17:57.404786Z", "23:17:59.424786Z");
    assert_eq!(mapped(&later).interval.probes, []);
}

#[test]
fn pings_that_could_not_be_sent_are_not_measured() {
    let ping = |status: &str, latency: &str| {
        let mapped = mapped(&format!(
            r#"{{"timestamp_utc":"1970-01-01T00:00:10Z","interval_sec":2,"ping_results":{{"10.0.0.1":
            {{"status":"{status}","latency_ms":{latency},"timestamp":9.5}}}}}}"#
        ));
        let probes = mapped.interval.probes.into_iter();
        let lost: Vec<_> = probes.map(|probe| (probe.lost, probe.mean_us)).collect();
        (lost, mapped.values_skipped)
    };
    assert_eq!(ping("success", "1.5"), (vec![(0, Some(1_500))], 0));
    assert_eq!(ping("timeout", "null"), (vec![(1, None)], 0));
    assert_eq!(ping("error", "null"), (vec![], 1));
    assert_eq!(ping("success", "-1"), (vec![], 1));
}

#[test]
fn what_means_nothing_is_left_out_and_counted() {
    let json = r#"{"interval_sec":2,"cpu":{"percent":-1},"memory":{"percent":100.5},
        "disk_usage":{"a":{"percent":10,"free_gb":-1,"total_gb":2},"b":{}},
        "network":{"interfaces":{"eth0":{"is_up":true,"sent_Mbps":-0.1,"recv_Mbps":1}}},
        "disk_io":{"vda":{"read_Bps":1e300,"write_Bps":0,"read_ops_ps":0,"write_ops_ps":0}},
        "peer_traffic":{"10.99.0.2_to_10.99.0.3":{"bytes":-5},"nonsense":{"bytes":5},
            "10.99.0.7_to_10.99.0.8":{"bytes":7}}}"#;
    let mapped = mapped(json);
    let host = mapped.interval.host.unwrap();
    assert_eq!(
        (host.cpu, host.memory_percent, host.mounts),
        (None, None, vec![])
    );
    assert_eq!(host.disks[0].delta, None);
    assert_eq!(mapped.interval.interfaces[0].kernel, None);
    assert_eq!(mapped.interval.flows, []);
    assert_eq!(mapped.values_skipped, 9);
}

#[test]
fn a_clock_that_is_far_ahead_gives_way_to_the_collectors() {
    let at = |time: &str| {
        mapped(&format!(
            r#"{{"timestamp_utc":"{time}","interval_sec":2,
        "peer_traffic":{{"10.99.0.2_to_10.99.0.3":{{"bytes":5}}}}}}"#
        ))
    };
    let within = at("2026-11-28T00:10:00Z");
    assert!(!within.is_clock_replaced);
    assert_eq!(within.interval.window.end(), now().plus(FUTURE_LIMIT));
    let ahead = at("2026-11-28T00:10:00.000001Z");
    assert!(ahead.is_clock_replaced);
    assert_eq!(ahead.interval.window.end(), now());
    assert_eq!(ahead.interval.flows[0].last, now());
    // Sent again it is known by the time that it says, whenever that is.
    let again = map(
        read(
            r#"{"timestamp_utc":"2026-11-28T00:10:00.000001Z","interval_sec":2,
        "peer_traffic":{"10.99.0.2_to_10.99.0.3":{"bytes":5}}}"#,
        ),
        PEER.into(),
        now().plus(Duration::from_secs(1)),
    );
    assert_eq!(again.unwrap().digest, ahead.digest);
    for none in ["", "yesterday", "2026-13-01T00:00:00Z"] {
        let replaced = at(none);
        assert!(
            replaced.is_clock_replaced && replaced.digest.is_none(),
            "{none}"
        );
        assert_eq!(replaced.interval.window.end(), now());
    }
    let behind = at("1999-01-01T00:00:00");
    assert!(!behind.is_clock_replaced);
    assert_eq!(moment("2026-11-28T00:00:00+00:00"), Some(now()));
}

#[test]
fn a_host_without_a_name_or_address_is_called_by_where_it_comes_from() {
    let mapped = mapped(r#"{"interval_sec":2,"hostname":" ","agent_ip":""}"#);
    assert_eq!(mapped.name, "ip_10.99.0.2");
    let host = mapped.interval.host.unwrap();
    assert_eq!(host.facts.addresses, [IpAddr::from(PEER)]);
    let v4_in_v6 = "::ffff:10.99.0.2".parse().unwrap();
    let mapped = map(read(r#"{"interval_sec":2}"#), v4_in_v6, now()).unwrap();
    assert_eq!(mapped.name, "ip_10.99.0.2");
}

#[test]
fn what_cannot_be_stored_as_anything_is_refused_with_the_reason() {
    let refused = |json: &str| map(read(json), PEER.into(), now()).unwrap_err().to_string();
    assert_eq!(
        refused(r#"{"interval_sec":2,"agent_ip":"zz"}"#),
        "Invalid agent_ip format: zz"
    );
    for length in ["0", "-2", "1e-9", "86400.5", "null"] {
        let why = refused(&format!(r#"{{"interval_sec":{length}}}"#));
        assert!(why.starts_with("interval_sec is "), "{why}");
    }
    let why = refused(r#"{"interval_sec":2,"hostname":"web\u200b-01"}"#);
    assert!(why.contains("web\\u{200b}-01"), "{why}");
}
