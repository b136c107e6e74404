//! The system collector against this kernel.
#![cfg(all(feature = "system", target_os = "linux"))]
// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]
// Reads clocks, files and sockets, which nothing in the crate itself may do.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::io::Write;
use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bwmon_core::collector::{Collector, InterfaceEvent, Observer, Progress};
use bwmon_core::collectors::system::{NameFilter, System, SystemConfig};
use bwmon_core::flow::FlowKey;
use bwmon_core::frame::{Frame, InterfaceId, PerDirection, Tally};
use bwmon_core::report::{InterfaceKind, OperState, ProbeResult};
use bwmon_core::sample::{HostSample, InterfaceSample};
use bwmon_core::testkit::namespace::{in_network, sh};
use bwmon_core::time::Timestamp;

#[derive(Default)]
struct Recorder {
    samples: Vec<(Timestamp, HostSample)>,
    events: Vec<InterfaceEvent>,
}

impl Observer for Recorder {
    fn frame(&mut self, _: Frame<'_>) {
        panic!("the system collector sees no frames");
    }
    fn flow(&mut self, _: Timestamp, _: Option<InterfaceId>, _: FlowKey, _: PerDirection<Tally>) {
        panic!("the system collector sees no flows");
    }
    fn interface(&mut self, _: Timestamp, event: InterfaceEvent) {
        self.events.push(event);
    }
    fn sample(&mut self, at: Timestamp, sample: HostSample) {
        self.samples.push((at, sample));
    }
    fn probe(&mut self, _: Timestamp, _: ProbeResult) {
        panic!("the system collector probes nothing");
    }
}

fn config() -> SystemConfig {
    let mut config = SystemConfig::default();
    config.agent_version = "1.2.3".to_owned();
    config
}

fn filter(include: &[&str], exclude: &[&str]) -> NameFilter {
    let owned = |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect();
    NameFilter {
        include: owned(include),
        exclude: owned(exclude),
    }
}

fn collect(system: &mut System) -> (Timestamp, HostSample, Vec<InterfaceEvent>) {
    let mut recorder = Recorder::default();
    let progress = system.collect(Duration::from_secs(60), &mut recorder);
    assert_eq!(progress.unwrap(), Progress::Idle);
    let (at, sample) = recorder.samples.pop().expect("one sample");
    assert!(recorder.samples.is_empty(), "one sample only");
    (at, sample, recorder.events)
}

fn sample(config: &SystemConfig) -> HostSample {
    collect(&mut System::new(config).unwrap()).1
}

fn interface<'a>(sample: &'a HostSample, name: &str) -> &'a InterfaceSample {
    let mut interfaces = sample.interfaces.iter();
    interfaces
        .find(|interface| interface.facts.name == name)
        .unwrap_or_else(|| panic!("no interface {name}"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

fn command(program: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn facts_and_gauges_agree_with_what_the_kernel_says() {
    let metrics = sample(&config()).metrics;
    assert_eq!(metrics.facts.hostname, read("/proc/sys/kernel/hostname"));
    assert_eq!(metrics.facts.kernel, read("/proc/sys/kernel/osrelease"));
    assert_eq!(
        metrics.facts.boot_id,
        read("/proc/sys/kernel/random/boot_id")
    );
    assert_eq!(metrics.facts.agent_version, "1.2.3");
    assert!(!metrics.facts.os.is_empty());
    let uptime: f64 = read("/proc/uptime")
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((uptime - metrics.uptime_s as f64).abs() < 30.0);
    assert!(metrics.load.is_some());

    let memory = metrics.memory.unwrap();
    let meminfo = read("/proc/meminfo");
    let total = meminfo
        .lines()
        .find(|line| line.starts_with("MemTotal:"))
        .unwrap();
    let total_kib: u64 = total
        .split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(memory.total_bytes, total_kib * 1_024);
    assert_eq!(
        memory.used_bytes + memory.available_bytes,
        memory.total_bytes
    );
    assert!(memory.available_bytes > 0);
}

#[test]
fn processor_use_needs_two_samples_and_sees_a_busy_core() {
    let mut system = System::new(&config()).unwrap();
    assert_eq!(collect(&mut system).1.metrics.cpu, None);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(400) {
        std::hint::spin_loop();
    }
    let cpu = collect(&mut system).1.metrics.cpu.unwrap();
    let stat = read("/proc/stat");
    let cores = stat.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    assert_eq!(cpu.cores_percent.len(), cores);
    assert!(cpu.total_percent > 0.0 && cpu.total_percent <= 100.0);
    assert!(cpu.cores_percent.iter().any(|&core| core > 20.0), "{cpu:?}");
}

#[test]
fn the_root_file_system_is_listed_as_df_shows_it() {
    let mounts = sample(&config()).metrics.mounts;
    let root = mounts.iter().find(|mount| mount.path == "/").expect("/");
    let total_1k: u64 = command("df", &["-k", "--output=size", "/"])
        .lines()
        .last()
        .and_then(|size| size.trim().parse().ok())
        .unwrap();
    assert_eq!(root.total_bytes / 1_024, total_1k);
    assert!(root.available_bytes <= root.total_bytes);
    assert!(!root.filesystem.is_empty() && !root.device.is_empty());
    for mount in &mounts {
        assert!(!["proc", "sysfs", "tmpfs", "devtmpfs"].contains(&mount.filesystem.as_str()));
    }
}

#[test]
fn written_bytes_show_up_in_a_disks_counters() {
    let mut system = System::new(&config()).unwrap();
    let before = collect(&mut system).1.disks;
    let names: Vec<_> = before.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        !names.is_empty() && !names.iter().any(|n| n.starts_with("loop")),
        "{names:?}"
    );
    let path = std::env::current_exe().unwrap().with_extension("written");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&vec![7; 4 << 20]).unwrap();
    file.sync_all().unwrap();
    std::fs::remove_file(&path).unwrap();
    let after = collect(&mut system).1.disks;
    let written: u64 = after
        .iter()
        .filter_map(|(name, now)| {
            let (_, earlier) = before.iter().find(|(earlier, _)| earlier == name)?;
            let change = now.since(earlier)?;
            assert!(change.written_bytes == 0 || change.writes > 0);
            Some(change.written_bytes)
        })
        .sum();
    assert!(written >= 4 << 20, "{written} bytes written");
}

#[test]
fn filters_select_mounts_disks_and_interfaces() {
    let mut config = config();
    config.disks = filter(&[], &["*"]);
    config.interfaces = filter(&["lo"], &[]);
    let filtered = sample(&config);
    assert!(filtered.metrics.mounts.is_empty() && filtered.disks.is_empty());
    assert_eq!(filtered.interfaces.len(), 1);
    config.interfaces = filter(&[], &["*"]);
    assert!(sample(&config).interfaces.is_empty());
    let mut system = System::new(&config).unwrap();
    system.always_report(BTreeSet::from(["lo".to_owned()]));
    let captured = collect(&mut system).1.interfaces;
    assert_eq!(captured.len(), 1, "what is captured is reported");
    assert_eq!(captured[0].facts.name, "lo");
    config.disks = filter(&["/"], &[]);
    let roots = sample(&config).metrics.mounts;
    assert_eq!(roots.len(), 1);
    let everything = System::new(&config).unwrap().interfaces().unwrap();
    let listed = std::fs::read_dir("/sys/class/net").unwrap().count();
    assert_eq!(everything.len(), listed, "the list ignores the filter");
}

#[test]
fn interfaces_are_told_with_kind_state_stacking_and_counters() {
    in_network(
        "interfaces_are_told_with_kind_state_stacking_and_counters",
        || {
            sh("ip link add veth0 type veth peer name veth1
         ip link add br0 type bridge
         ip link set veth0 master br0
         ip tuntap add dev tun0 mode tun
         ip link set veth0 up; ip link set br0 up
         ip addr add 192.0.2.1/24 dev br0
         ip -6 addr add 2001:db8::1/64 dev br0 nodad");
            let mut system = System::new(&config()).unwrap();
            let (_, sample, events) = collect(&mut system);
            assert_eq!(events.len(), sample.interfaces.len());
            let facts = |name: &str| interface(&sample, name).facts.clone();
            assert_eq!(facts("lo").kind, InterfaceKind::Loopback);
            assert_eq!(facts("veth0").kind, InterfaceKind::Veth);
            assert_eq!(facts("br0").kind, InterfaceKind::Bridge);
            assert_eq!(facts("br0").stacked_on, ["veth0"]);
            assert_eq!(facts("tun0").kind, InterfaceKind::Tunnel);
            assert_eq!(facts("veth1").state, OperState::Down);
            assert_eq!(facts("veth0").state, OperState::LowerLayerDown);
            let uplinks = |sample: &HostSample| {
                let uplinks = sample.interfaces.iter().filter(|i| i.facts.is_uplink);
                uplinks.map(|i| i.facts.name.clone()).collect::<Vec<_>>()
            };
            assert!(!facts("br0").has_default_route);
            assert!(uplinks(&sample).contains(&"br0".to_owned()));
            assert!(!uplinks(&sample).contains(&"veth0".to_owned()));

            sh("ip link set veth1 up; sleep 0.1; ip route add default via 192.0.2.9");
            let (_, sample, events) = collect(&mut system);
            assert_eq!(events, []);
            assert_eq!(interface(&sample, "veth1").facts.state, OperState::Up);
            assert_eq!(uplinks(&sample), ["br0"]);
            assert!(interface(&sample, "br0").facts.has_default_route);
            let addresses = &sample.metrics.facts.addresses;
            let first: Vec<_> = addresses.iter().take(2).map(ToString::to_string).collect();
            assert_eq!(first, ["192.0.2.1", "2001:db8::1"]);
            assert!(
                addresses
                    .iter()
                    .skip(2)
                    .all(|a| a.to_string().starts_with("fe80:"))
            );
        },
    );
}

#[test]
fn counters_move_by_what_was_sent_before_the_samples_moment() {
    in_network(
        "counters_move_by_what_was_sent_before_the_samples_moment",
        || {
            let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut system = System::new(&config()).unwrap();
            let before = collect(&mut system).1;
            for _ in 0..10 {
                sender
                    .send_to(&[0; 100], receiver.local_addr().unwrap())
                    .unwrap();
            }
            let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let (at, after, _) = collect(&mut system);
            assert!(at.as_nanos() >= u64::try_from(sent.as_nanos()).unwrap());
            let change = |direction: fn(&InterfaceSample) -> (u64, u64)| {
                let (bytes, packets) = direction(interface(&after, "lo"));
                let (bytes_before, packets_before) = direction(interface(&before, "lo"));
                (bytes - bytes_before, packets - packets_before)
            };
            // On loopback the counter leaves out the 14-byte header: 100 + UDP 8 + IPv4 20.
            let egress = change(|i| (i.counters.egress.bytes, i.counters.egress.packets));
            let ingress = change(|i| (i.counters.ingress.bytes, i.counters.ingress.packets));
            assert_eq!((egress, ingress), ((1_280, 10), (1_280, 10)));
        },
    );
}

#[test]
fn interfaces_that_come_go_and_change_their_name_are_told() {
    in_network(
        "interfaces_that_come_go_and_change_their_name_are_told",
        || {
            let mut config = config();
            config.interfaces = filter(&["lo"], &[]);
            let mut system = System::new(&config).unwrap();
            collect(&mut system);
            sh("ip link add veth0 type veth peer name veth1");
            let (_, sample, events) = collect(&mut system);
            assert_eq!(
                sample.interfaces.len(),
                1,
                "events are told whatever the filter"
            );
            let mut names: Vec<_> = events
                .iter()
                .map(|event| match event {
                    InterfaceEvent::Appeared { name, .. } => name.as_str(),
                    event => panic!("{event:?}"),
                })
                .collect();
            names.sort_unstable();
            assert_eq!(names, ["veth0", "veth1"]);

            sh("ip link set veth0 name uplink");
            let (_, _, events) = collect(&mut system);
            assert!(
                matches!(events.as_slice(), [InterfaceEvent::Renamed { name, .. }] if name == "uplink"),
                "{events:?}"
            );

            // The same names with new numbers are other interfaces.
            sh("ip link del uplink; ip link add uplink type veth peer name veth1");
            let (_, _, events) = collect(&mut system);
            let count =
                |is: fn(&InterfaceEvent) -> bool| events.iter().filter(|event| is(event)).count();
            assert_eq!(count(|e| matches!(e, InterfaceEvent::Vanished { .. })), 2);
            assert_eq!(count(|e| matches!(e, InterfaceEvent::Appeared { .. })), 2);
            let listed = system.interfaces().unwrap();
            assert_eq!(
                listed.iter().filter(|i| i.facts.name == "uplink").count(),
                1
            );
        },
    );
}
