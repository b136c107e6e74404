//! Requests with the same 12 samples for each server.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bwmon_benches::ingest::post;
use bwmon_core::frame::PerDirection;
use bwmon_core::report::{
    CpuUsage, Epoch, HostFacts, HostMetrics, InterfaceFacts, InterfaceInterval, Interval,
    KernelCounters, LoadAverage, MemoryUsage, Record, RecordBody, wire,
};
use bwmon_core::time::{Timestamp, Window};

/// Who is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Bwmon,
    /// The bare log takes the same bytes.
    Log,
    /// VictoriaMetrics, by its import of the Prometheus text format.
    Victoria,
}

impl FromStr for Target {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "bwmon" => Ok(Self::Bwmon),
            "log" => Ok(Self::Log),
            "victoria" => Ok(Self::Victoria),
            _ => Err(()),
        }
    }
}

/// The hosts of one connection, which report in turn.
pub(crate) struct Hosts {
    target: Target,
    hosts: Vec<Host>,
    next: usize,
    request: Vec<u8>,
}

struct Host {
    number: usize,
    credential: String,
    seq: u64,
    end: Duration,
}

impl Hosts {
    /// The hosts of these numbers; bwmon knows them by their `credentials`.
    pub(crate) fn new(
        target: Target,
        numbers: impl Iterator<Item = usize>,
        credentials: &[String],
    ) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let host = |number| Host {
            number,
            credential: credentials.get(number).cloned().unwrap_or_default(),
            seq: 0,
            // Long enough ago that the reports to come are not in the future.
            end: now.saturating_sub(Duration::from_secs(3_600)),
        };
        Self {
            target,
            hosts: numbers.map(host).collect(),
            next: 0,
            request: Vec::new(),
        }
    }

    /// The request of the next host in turn.
    pub(crate) fn next(&mut self) -> &[u8] {
        let count = self.hosts.len();
        if let Some(host) = self.hosts.get_mut(self.next) {
            host.seq += 1;
            host.end += Duration::from_millis(10);
            self.request = match self.target {
                Target::Bwmon => bwmon(host),
                Target::Log => post("/", "", &document(host)),
                Target::Victoria => post("/api/v1/import/prometheus", "", lines(host).as_bytes()),
            };
        }
        self.next = (self.next + 1) % count;
        &self.request
    }
}

fn bwmon(host: &Host) -> Vec<u8> {
    let headers = format!(
        "authorization: Bearer {}\r\ncontent-type: {}\r\naccept: {}\r\n",
        host.credential,
        wire::CONTENT_TYPE,
        wire::CONTENT_TYPE
    );
    post("/api/v1/ingest", &headers, &document(host))
}

/// Twelve values that change from report to report.
fn samples(host: &Host) -> [u64; 12] {
    let mut state = host.number as u64 ^ host.seq.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::array::from_fn(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 44
    })
}

fn document(host: &Host) -> Vec<u8> {
    let [
        cpu,
        one,
        five,
        fifteen,
        total,
        used,
        free,
        swap,
        in_bytes,
        in_packets,
        out_bytes,
        out_packets,
    ] = samples(host);
    let percent = |value: u64| f64::from(u16::try_from(value % 10_000).unwrap_or(0)) / 100.0;
    let side = |bytes, packets| KernelCounters {
        bytes,
        packets,
        ..KernelCounters::default()
    };
    let kernel = PerDirection {
        ingress: side(in_bytes, in_packets),
        egress: side(out_bytes, out_packets),
    };
    let interval = Interval {
        window: Window::new(
            Timestamp::from_micros(micros(host.end)),
            Duration::from_millis(10),
        ),
        host: Some(HostMetrics {
            facts: HostFacts { hostname: format!("host-{}", host.number), ..HostFacts::default() },
            #[allow(clippy::cast_possible_truncation)] // a percentage with two digits
            cpu: Some(CpuUsage { total_percent: percent(cpu) as f32, ..CpuUsage::default() }),
            load: Some(LoadAverage { one: percent(one), five: percent(five), fifteen: percent(fifteen) }),
            memory: Some(MemoryUsage {
                total_bytes: total,
                used_bytes: used,
                available_bytes: free,
                swap_used_bytes: swap,
                ..MemoryUsage::default()
            }),
            ..HostMetrics::default()
        }),
        interfaces: vec![InterfaceInterval {
            facts: InterfaceFacts {
                name: "eth0".to_owned(),
                ..InterfaceFacts::default()
            },
            kernel: Some(kernel),
            ..InterfaceInterval::default()
        }],
        ..Interval::default()
    };
    wire::encode_records(&[Record {
        epoch: Epoch(host.number as u128 + 1),
        seq: host.seq,
        body: RecordBody::Report(Box::new(interval)),
    }])
}

fn lines(host: &Host) -> String {
    const NAMES: [&str; 12] = [
        "cpu_percent",
        "load_1",
        "load_5",
        "load_15",
        "memory_total_bytes",
        "memory_used_bytes",
        "memory_available_bytes",
        "swap_used_bytes",
        "received_bytes",
        "received_packets",
        "sent_bytes",
        "sent_packets",
    ];
    let mut text = String::new();
    let millis = host.end.as_millis();
    for (name, value) in NAMES.iter().zip(samples(host)) {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{name}{{host=\"host-{}\"}} {value} {millis}",
            host.number
        );
    }
    text
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
