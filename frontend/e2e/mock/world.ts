/** Hosts that behave like real ones, from typed fixtures: every figure is a function of the host's number and the time. */

import type {
  CaptureStatus,
  FlowUsage,
  Gap,
  HostDetail,
  HostSummary,
  InterfaceInterval,
  InterfaceSum,
  Interval,
  MountUsage,
  PeerUsage,
  Probed,
  RecentPoint,
  Series,
  SeriesSet,
  Terms,
} from "../../src/api/types";

export const INTERVAL_US = 2_000_000;
const INTERVAL_S = 2;
const MINUTE_US = 60_000_000;
const GB = 1_000_000_000;

const ROLES = ["web", "edge", "db", "cache", "build", "backup", "mail", "vpn"];
const SYSTEMS = ["Debian GNU/Linux 12", "Ubuntu 24.04.3 LTS", "Fedora Linux 42", "Alpine Linux v3.22"];
const PEERS = [
  "198.51.100.23",
  "203.0.113.80",
  "2001:db8:51::17",
  "192.0.2.44",
  "198.51.100.9",
  "203.0.113.5",
  "2001:db8:2::b",
  "192.0.2.201",
  "198.51.100.77",
  "203.0.113.140",
  "192.0.2.18",
  "198.51.100.151",
  "203.0.113.222",
];
const PORTS = [443, 5432, 443, 22, 53, 6379, 80, 9100, 51820, 123, 3306, 8443, 2049];

const CAPTURES: CaptureStatus[] = [
  { method: "af_packet", note: null, interfaces: ["eth0", "br0"] },
  { method: "af_packet", note: null, interfaces: ["eth0"] },
  {
    method: "sock_diag",
    note: "TCP only, payload bytes as the kernel counts them per connection: capturing frames is not permitted; grant it with: sudo setcap cap_net_raw+ep /usr/local/bin/bwmon-agent",
    interfaces: [],
  },
  { method: "libpcap", note: null, interfaces: ["eth0"] },
  {
    method: "counters",
    note: "no flows: the connection counters cannot be read here",
    interfaces: [],
  },
];

export interface WorldOptions {
  hosts: number;
  /** Numbers of hosts that stopped reporting. */
  stale?: number[];
  /** Numbers of hosts whose agent was cloned. */
  cloned?: number[];
  /** Numbers of hosts whose clock is an hour behind since a while. */
  wrongClocks?: number[];
  /** Numbers of hosts whose agent is the original program. */
  legacy?: number[];
  /** Names in place of the generated ones. */
  names?: string[];
}

export class World {
  private readonly startedUs = nowUs();

  constructor(readonly options: WorldOptions) {}

  id(index: number): string {
    return (index + 1).toString(16).padStart(32, "0");
  }

  indexOf(id: string): number | undefined {
    const index = Number.parseInt(id, 16) - 1;
    return /^[0-9a-f]{32}$/.test(id) && index >= 0 && index < this.options.hosts ? index : undefined;
  }

  isStale(index: number): boolean {
    return this.options.stale?.includes(index) ?? false;
  }

  summaries(): HostSummary[] {
    return Array.from({ length: this.options.hosts }, (_, index) => this.summary(index));
  }

  summary(index: number): HostSummary {
    const at = this.lastReport(index);
    const rates = throughput(index, at);
    const capture = captureOf(index);
    return {
      id: this.id(index),
      name:
        this.options.names?.[index] ??
        `${ROLES[index % ROLES.length]}-${String(Math.floor(index / ROLES.length) + 1).padStart(2, "0")}`,
      status: this.isStale(index) ? "stale" : "up",
      is_authenticated: !this.options.legacy?.includes(index),
      last_seen_us: at,
      first_seen_us: this.startedUs - 86_400_000_000 * (1 + (index % 30)),
      addresses: [
        `10.20.${Math.floor(index / 200)}.${10 + (index % 200)}`,
        `2001:db8:20::${(index + 16).toString(16)}`,
      ],
      os: SYSTEMS[index % SYSTEMS.length] ?? "",
      agent_version: "0.1.0",
      uptime_s: 3_600 * (7 + index * 31),
      window: { start_us: at - INTERVAL_US, duration_us: INTERVAL_US },
      cpu_percent: cpu(index, at),
      memory_percent: memory(index, at),
      disk_percent: [41.2, 63.8, 88.9, 17.5, 96.3][index % 5] ?? null,
      throughput_bps: rates,
      top_peer: capture.method === "counters" ? null : (peers(index, at)[0] ?? null),
      capture,
      capture_dropped: index === 3 ? 128 : 0,
      clock_wrong_by_us: this.options.wrongClocks?.includes(index) ? -3_600_000_000 : null,
      cloned: this.options.cloned?.includes(index)
        ? { reason: "epochs_alternate", since_us: this.startedUs - 60_000_000 }
        : null,
      recent: this.recent(index, at),
    };
  }

  detail(index: number): HostDetail {
    const at = this.lastReport(index);
    const seesFlows = captureOf(index).method !== "counters";
    const interfaces = interfacesAt(index, at);
    return {
      summary: this.summary(index),
      latest: this.interval(index, at, interfaces),
      window: { start_us: at - MINUTE_US, duration_us: MINUTE_US },
      peers: seesFlows ? peers(index, at) : [],
      flows: seesFlows ? flows(index, at) : [],
      flows_lost: index === 3 ? { rows: 1_234, reason: "spool_full" } : null,
      interfaces: interfaces.map((part) => sumOf(part, at)),
      probes: this.probes(index, at),
    };
  }

  /** The next three hosts, of which the last one does not answer. */
  private probes(index: number, at: number): Probed[] {
    const others = [1, 2, 3].map((step) => index + step).filter((other) => other < this.options.hosts);
    return others.map((other, rank): Probed => {
      const isLost = rank === 2;
      return {
        at_us: at,
        result: {
          target: this.summary(other).addresses[0] ?? "192.0.2.1",
          kind: rank === 1 ? "tcp_connect" : "icmp",
          sent: 3,
          lost: isLost ? 3 : 0,
          min_us: isLost ? null : 412,
          mean_us: isLost ? null : 640 * (rank + 1),
          max_us: isLost ? null : 12_345,
        },
      };
    });
  }

  series(index: number, seconds: number): SeriesSet {
    const last = this.lastReport(index);
    const end = this.isStale(index) ? nowUs() : last;
    const start = end - seconds * 1_000_000;
    const gaps = this.gaps(last, end, seconds);
    const at_us: number[] = [];
    const first = Math.ceil((start - last) / INTERVAL_US);
    for (let step = first; step <= 0; step += 1) {
      const at = last + step * INTERVAL_US;
      if (!gaps.some(({ window }) => at > window.start_us && at < window.start_us + window.duration_us))
        at_us.push(at);
    }
    return {
      range: { start_us: start, duration_us: end - start },
      at_us,
      series: allSeries(index, at_us),
      gaps,
      clock_steps: this.options.wrongClocks?.includes(index)
        ? [{ at_us: at_us[Math.floor(at_us.length / 4)] ?? start, by_us: -3_600_000_000 }]
        : [],
    };
  }

  private gaps(last: number, end: number, seconds: number): Gap[] {
    const length = Math.floor(seconds / 8) * 1_000_000;
    const from = last - Math.floor(seconds / 2) * 1_000_000;
    const gaps: Gap[] = [{ window: { start_us: from, duration_us: length }, reason: "agent_off" }];
    if (end > last + INTERVAL_US) {
      gaps.push({ window: { start_us: last, duration_us: end - last }, reason: "not_yet" });
    }
    return gaps;
  }

  private lastReport(index: number): number {
    const grid = Math.floor(nowUs() / INTERVAL_US) * INTERVAL_US;
    return this.isStale(index) ? Math.floor(this.startedUs / INTERVAL_US) * INTERVAL_US - 190_000_000 : grid;
  }

  private recent(index: number, at: number): RecentPoint[] {
    return Array.from({ length: 60 }, (_, step) => at - (59 - step) * INTERVAL_US)
      .filter((_, step) => index % 4 !== 1 || step < 20 || step > 31)
      .map((moment) => {
        const rates = throughput(index, moment);
        return {
          at_us: moment,
          cpu_percent: cpu(index, moment),
          memory_percent: memory(index, moment),
          throughput_bps: rates.ingress + rates.egress,
        };
      });
  }

  private interval(index: number, at: number, interfaces: InterfaceInterval[]): Interval {
    const summary = this.summary(index);
    const cores = 4 + (index % 3) * 4;
    const total = 16 * GB;
    const used = Math.round((total * (summary.memory_percent ?? 0)) / 100);
    const frames = captureOf(index).method === "af_packet" || captureOf(index).method === "libpcap";
    return {
      window: summary.window,
      host: {
        facts: {
          hostname: summary.name,
          os: summary.os,
          kernel: "6.12.41-amd64",
          boot_id: "0f8d6c1e-6f3e-4a57-9d7a-5a1b1f0c9e11",
          agent_version: summary.agent_version,
          addresses: summary.addresses,
        },
        uptime_s: summary.uptime_s,
        cpu: {
          total_percent: summary.cpu_percent ?? 0,
          cores_percent: Array.from({ length: cores }, (_, core) => cpu(index + core * 7, at + core * 11)),
        },
        load: { one: 1.42, five: 1.18, fifteen: 0.97 },
        memory: {
          total_bytes: total,
          used_bytes: used,
          available_bytes: total - used,
          swap_total_bytes: index % 3 === 2 ? 0 : 4 * GB,
          swap_used_bytes: index % 3 === 2 ? 0 : Math.round(0.31 * GB),
        },
        memory_percent: null,
        mounts: mountsOf(summary.disk_percent ?? 0),
        disks: [
          {
            name: "nvme0n1",
            delta: {
              read_bytes: Math.round(9e6 * wave(index, at, 31)),
              written_bytes: Math.round(3e6 * wave(index, at, 17)),
              reads: Math.round(420 * wave(index, at, 31)),
              writes: Math.round(260 * wave(index, at, 17)),
            },
          },
          { name: "sda", delta: null },
        ],
      },
      interfaces,
      flows: [],
      capture: captureOf(index),
      losses: frames
        ? [{ source: "af_packet", interface: null, received: 21_408, dropped: summary.capture_dropped }]
        : [],
      probes: [],
      clocks: null,
      merged_windows: 0,
      flows_lost: null,
      overflow_without_interface: { ingress: { bytes: 0, packets: 0 }, egress: { bytes: 0, packets: 0 } },
    };
  }
}

export function nowUs(): number {
  return Date.now() * 1_000;
}

function captureOf(index: number): CaptureStatus {
  return CAPTURES[index % CAPTURES.length] ?? { method: "counters", note: null, interfaces: [] };
}

/** A smooth course between 0 and 1 with a little noise. */
function wave(seed: number, atUs: number, periodS: number): number {
  const t = atUs / 1e6;
  const noise = Math.abs(Math.sin((Math.floor(t / 2) + seed * 12.9898) * 78.233) * 43_758.5453) % 1;
  const slow = 0.5 + 0.5 * Math.sin((t / periodS + seed) * 2);
  const burst = Math.max(0, Math.sin(t / (periodS * 2.7) + seed * 3)) ** 6;
  return Math.min(1, 0.12 + 0.5 * slow + 0.25 * burst + 0.13 * noise);
}

function cpu(index: number, at: number): number {
  return Math.round(1_000 * wave(index + 1, at, 60 + index) * (0.25 + 0.65 * ((index * 37) % 10) * 0.1)) / 10;
}

function memory(index: number, at: number): number {
  return Math.round(10 * (22 + ((index * 29) % 60) + 6 * wave(index, at, 300))) / 10;
}

function throughput(index: number, at: number): { ingress: number; egress: number } {
  const scale = [84e6, 310e6, 12e6, 2.4e6, 640e3, 920e6, 41e6, 9e3][index % 8] ?? 1e6;
  return {
    ingress: Math.round(scale * wave(index, at, 47)),
    egress: Math.round(scale * 0.34 * wave(index + 5, at, 71)),
  };
}

function bytesOver(bitsPerSecond: number, seconds: number): number {
  return Math.round((bitsPerSecond / 8) * seconds);
}

function mountsOf(fullest: number): MountUsage[] {
  const mount = (
    path: string,
    device: string,
    filesystem: string,
    total: number,
    percent: number,
  ): MountUsage => ({
    path,
    device,
    filesystem,
    total_bytes: total,
    used_bytes: Math.round((total * percent) / 100),
    available_bytes: Math.round(total * (1 - percent / 100)),
  });
  return [
    mount("/", "/dev/nvme0n1p2", "ext4", 120 * GB, Math.min(fullest, 41.2)),
    mount("/srv/data", "/dev/nvme0n1p3", "xfs", 1_850 * GB, fullest),
    mount("/boot/efi", "/dev/nvme0n1p1", "vfat", 0.5 * GB, 6.1),
  ];
}

/** Interface name, link speed, share of the host's throughput, what it is stacked on. */
const INTERFACES: [string, InterfaceInterval["facts"]["kind"], number | null, number, string[]][] = [
  ["eth0", "physical", 1e9, 1, []],
  ["br0", "bridge", null, 0.42, ["veth1a2b", "veth3c4d"]],
  ["veth1a2b", "veth", 10e9, 0.28, []],
  ["veth3c4d", "veth", 10e9, 0.14, []],
  ["lo", "loopback", null, 0.05, []],
  ["wg0", "tunnel", null, 0, []],
];

function interfacesAt(index: number, at: number): InterfaceInterval[] {
  const rates = throughput(index, at);
  const captured = captureOf(index).interfaces ?? [];
  return INTERFACES.map(([name, kind, speed, share, stacked], number): InterfaceInterval => {
    const counters = (rate: number) => {
      const bytes = bytesOver(rate * share, INTERVAL_S);
      return { bytes, packets: Math.ceil(bytes / 870), errors: 0, drops: number === 1 ? 3 : 0 };
    };
    const kernel = { ingress: counters(rates.ingress), egress: counters(rates.egress) };
    const conservation = {
      ingress: { terms: termsOf(kernel.ingress.bytes), residual_bytes: 0 },
      egress: { terms: termsOf(kernel.egress.bytes), residual_bytes: 0 },
    };
    return {
      facts: {
        id: number + 1,
        name,
        kind,
        state: name === "wg0" ? "down" : name === "lo" ? "unknown" : "up",
        speed_bps: speed,
        stacked_on: stacked,
        has_default_route: number === 0,
        is_uplink: number === 0,
      },
      kernel,
      conservation: captured.includes(name) ? conservation : null,
      non_ip: captured.includes(name)
        ? [
            { ethertype: 0x0806, tally: { bytes: 252, packets: 6 } },
            { ethertype: 0x88cc, tally: { bytes: 112, packets: 1 } },
            { ethertype: 38, tally: { bytes: 60, packets: 1 } },
          ]
        : [],
      malformed: captured.includes(name)
        ? [{ layer: "ipv4", reason: "truncated", tally: { bytes: 60, packets: 1 } }]
        : [],
    };
  });
}

function termsOf(kernelBytes: number): Terms {
  const tally = (bytes: number) => ({ bytes, packets: Math.ceil(bytes / 800) });
  const [nonIp, malformed] = [Math.min(kernelBytes, 424), Math.min(Math.max(0, kernelBytes - 424), 60)];
  const overflow = Math.floor(kernelBytes * 0.03);
  return {
    attributed: tally(Math.max(0, kernelBytes - nonIp - malformed - overflow)),
    overflow: tally(Math.min(overflow, Math.max(0, kernelBytes - nonIp - malformed))),
    non_ip: tally(nonIp),
    malformed: tally(malformed),
  };
}

function sumOf(part: InterfaceInterval, at: number): InterfaceSum {
  const shift = (at / INTERVAL_US) % 3 === 0 ? 1_514 : 0;
  const direction = (key: "ingress" | "egress") => {
    const bytes = (part.kernel?.[key].bytes ?? 0) * 30;
    return {
      bytes: bytes + (key === "ingress" && part.conservation ? shift : 0),
      packets: Math.ceil(bytes / 870),
    };
  };
  const kernel = { ingress: direction("ingress"), egress: direction("egress") };
  return {
    name: part.facts.name,
    is_uplink: part.facts.is_uplink ?? false,
    kernel,
    captured: part.conservation
      ? { ingress: termsOf(kernel.ingress.bytes - shift), egress: termsOf(kernel.egress.bytes) }
      : null,
    residual_bytes: part.conservation ? { ingress: shift, egress: 0 } : null,
    intervals_without_kernel: 0,
  };
}

function peers(index: number, at: number): PeerUsage[] {
  const rates = throughput(index, at);
  return PEERS.map((address, rank): PeerUsage => {
    const weight = 0.55 ** (rank + 1);
    const rate = { ingress: rates.ingress * weight, egress: rates.egress * 0.55 ** (((rank + 2) % 5) + 1) };
    const tally = (bits: number) => ({
      bytes: bytesOver(bits, 60),
      packets: Math.ceil(bytesOver(bits, 60) / 900),
    });
    return {
      address,
      traffic: { ingress: tally(rate.ingress), egress: tally(rate.egress) },
      rate_bps: rate,
      flows: 1 + ((rank * 7) % 13),
    };
  });
}

function flows(index: number, at: number): FlowUsage[] {
  const named = captureOf(index).method !== "sock_diag";
  return Array.from({ length: 200 }, (_, rank): FlowUsage => {
    const peer = rank % PEERS.length;
    const usage = peers(index, at)[peer];
    const part = 0.6 ** Math.floor(rank / PEERS.length);
    const rate = {
      ingress: (usage?.rate_bps.ingress ?? 0) * 0.4 * part,
      egress: (usage?.rate_bps.egress ?? 0) * 0.4 * part,
    };
    const port = PORTS[peer] ?? 443;
    const remote = PEERS[peer] ?? "192.0.2.1";
    const tally = (bits: number) => ({
      bytes: bytesOver(bits, 60),
      packets: Math.ceil(bytesOver(bits, 60) / 900),
    });
    return {
      flow: {
        interface: named ? (rank % 9 === 4 ? "br0" : "eth0") : null,
        protocol: port === 53 || port === 123 || port === 51820 ? 17 : 6,
        local: remote.includes(":") ? `2001:db8:20::${(index + 16).toString(16)}` : `10.20.0.${10 + index}`,
        local_port: 32_768 + ((rank * 7_919) % 28_000),
        remote,
        remote_port: port,
        traffic: { ingress: tally(rate.ingress), egress: tally(rate.egress) },
        first_us: at - MINUTE_US,
        last_us: at,
        tcp_flags: 0x1a,
      },
      rate_bps: rate,
    };
  }).sort((a, b) => b.flow.traffic.ingress.bytes - a.flow.traffic.ingress.bytes);
}

function allSeries(index: number, at: number[]): Series[] {
  const of = (metric: Series["metric"], value: (moment: number) => number, name?: string): Series => ({
    metric,
    interface: name ?? null,
    values: at.map(value),
  });
  const perInterface = INTERFACES.flatMap(([name, , , share]) => [
    of("ingress_bps", (moment) => throughput(index, moment).ingress * share, name),
    of("egress_bps", (moment) => throughput(index, moment).egress * share, name),
  ]);
  return [
    of("cpu_percent", (moment) => cpu(index, moment)),
    of("memory_percent", (moment) => memory(index, moment)),
    of("total_ingress_bps", (moment) => throughput(index, moment).ingress),
    of("total_egress_bps", (moment) => throughput(index, moment).egress),
    ...perInterface,
  ];
}
