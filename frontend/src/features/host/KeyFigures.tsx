import type { ReactNode } from "react";
import type { HostDetail, MountUsage } from "../../api/types";
import { DirectionRate } from "../../components/DirectionRate";
import { Meter } from "../../components/Meter";
import { ABSENT, formatBytes, formatCount, formatPercent } from "../../lib/format";
import { mountUsedPercent } from "../../lib/usage";

const UNIT = "text-base font-normal text-muted";

/** The last report in figures. */
export function KeyFigures({ detail }: { detail: HostDetail }) {
  const { summary, latest } = detail;
  const { load, memory, cpu } = latest.host ?? {};
  const cores = cpu?.cores_percent?.length ?? 0;
  const fullest = fullestMount(detail);
  return (
    <section
      aria-label="Last report"
      className="overflow-hidden rounded-xl border border-line bg-surface shadow-card"
    >
      <dl className="-mt-px -ml-px grid grid-cols-2 sm:grid-cols-3 xl:grid-cols-6">
        <Figure label="Receiving" note="uplinks">
          <DirectionRate
            direction="ingress"
            bitsPerSecond={summary.throughput_bps?.ingress}
            unitClassName={UNIT}
          />
        </Figure>
        <Figure label="Sending" note="uplinks">
          <DirectionRate
            direction="egress"
            bitsPerSecond={summary.throughput_bps?.egress}
            unitClassName={UNIT}
          />
        </Figure>
        <Figure
          label="CPU"
          note={
            load
              ? `load ${[load.one, load.five, load.fifteen].map((l) => l.toFixed(2)).join("  ")}`
              : coresNote(cores)
          }
          percent={summary.cpu_percent}
        >
          {formatPercent(summary.cpu_percent)}
        </Figure>
        <Figure
          label="Memory"
          note={
            memory
              ? `${formatBytes(memory.used_bytes)} of ${formatBytes(memory.total_bytes)}`
              : "amounts not measured"
          }
          percent={summary.memory_percent}
        >
          {formatPercent(summary.memory_percent)}
        </Figure>
        <Figure label="Fullest disk" note={fullest ?? "no file system"} percent={summary.disk_percent}>
          {formatPercent(summary.disk_percent)}
        </Figure>
        <Lost detail={detail} />
      </dl>
    </section>
  );
}

function Lost({ detail }: { detail: HostDetail }) {
  const { capture, capture_dropped: dropped } = detail.summary;
  if (capture.method === "sock_diag" || capture.method === "counters") {
    return (
      <Figure label="Lost by capture" note="no frames are captured">
        {ABSENT}
      </Figure>
    );
  }
  return (
    <Figure label="Lost by capture" note={`of ${formatCount(received(detail))} in the last report`}>
      <span className={dropped > 0 ? "text-bad" : ""}>{formatCount(dropped)}</span>{" "}
      <span className={UNIT}>{dropped === 1 ? "packet" : "packets"}</span>
    </Figure>
  );
}

interface FigureProps {
  label: string;
  note: string;
  percent?: number | null | undefined;
  children: ReactNode;
}

function Figure({ label, note, percent, children }: FigureProps) {
  return (
    <div className="min-w-0 border-t border-l border-line px-4 py-3">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="tabular mt-0.5 text-xl font-semibold tracking-tight whitespace-nowrap">{children}</dd>
      {percent != null && (
        <dd className="mt-1.5">
          <Meter percent={percent} label={label} />
        </dd>
      )}
      <dd className="tabular mt-1 truncate text-xs text-muted" title={note}>
        {note}
      </dd>
    </div>
  );
}

function received({ latest }: HostDetail): number {
  return (latest.losses ?? []).reduce((sum, loss) => sum + loss.received, 0);
}

function fullestMount({ latest }: HostDetail): string | undefined {
  const share = (mount: MountUsage) => mountUsedPercent(mount) ?? 0;
  const [first] = [...(latest.host?.mounts ?? [])].sort((a, b) => share(b) - share(a));
  return first && `${first.path}, ${formatBytes(first.available_bytes)} left`;
}

function coresNote(cores: number): string {
  return cores === 0 ? "cores not told" : `${cores} cores`;
}
