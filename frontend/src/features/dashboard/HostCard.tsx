import { Link } from "@tanstack/react-router";
import { memo, type ReactNode } from "react";
import type { HostSummary, PeerUsage, RecentPoint } from "../../api/types";
import { CaptureBadge } from "../../components/CaptureBadge";
import { ClockBadge } from "../../components/ClockBadge";
import { CloneBadge } from "../../components/CloneBadge";
import { DirectionRate } from "../../components/DirectionRate";
import { TriangleAlert } from "../../components/Icon";
import { Meter } from "../../components/Meter";
import { Sparkline } from "../../components/Sparkline";
import { StatusBadge } from "../../components/StatusBadge";
import { UnauthenticatedBadge } from "../../components/UnauthenticatedBadge";
import { ABSENT, formatPercent, plural } from "../../lib/format";
import type { Point } from "../../lib/gaps";
import { formatDuration, milliseconds } from "../../lib/time";

/** One host at a glance. Its name leads to its page; figures of a stale host are marked as last known. */
export const HostCard = memo(function HostCard({ host }: { host: HostSummary }) {
  const stale = host.status === "stale";
  return (
    <li className="host-card">
      <article
        aria-label={host.name}
        className={`relative flex flex-col gap-3 rounded-xl border bg-surface p-4 shadow-card transition-colors hover:border-line-strong ${stale ? "border-dashed border-warn/60" : "border-line"}`}
      >
        <CardHead host={host} />
        <CloneBadge host={host} />
        <ClockBadge host={host} />
        <UnauthenticatedBadge host={host} />
        <div className={`space-y-3 ${stale ? "text-muted grayscale" : ""}`}>
          <Throughput host={host} />
          <div className="grid grid-cols-2 gap-4">
            <Share
              label="CPU"
              percent={host.cpu_percent}
              points={course(host.recent, "cpu_percent")}
              tone="text-cpu"
            />
            <Share
              label="Memory"
              percent={host.memory_percent}
              points={course(host.recent, "memory_percent")}
              tone="text-memory"
            />
          </div>
          <Row label="Fullest disk">
            <Meter percent={host.disk_percent} label="Fullest disk" className="w-20" />
            <span className="tabular w-14 text-right font-medium">{formatPercent(host.disk_percent)}</span>
          </Row>
          <Row label="Top peer, 1 min">
            <TopPeer peer={host.top_peer} />
          </Row>
        </div>
        <CardFoot host={host} />
      </article>
    </li>
  );
});

function CardHead({ host }: { host: HostSummary }) {
  const [address, ...others] = host.addresses;
  return (
    <header className="min-w-0">
      <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
        <h2 className="min-w-0 truncate font-semibold tracking-tight">
          <Link
            to="/hosts/$id"
            params={{ id: host.id }}
            className="after:absolute after:inset-0 after:rounded-xl hover:text-accent focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-offset-2 focus-visible:after:outline-accent"
          >
            {host.name}
          </Link>
        </h2>
        <StatusBadge host={host} />
      </div>
      <p className="truncate text-sm text-muted" title={[...host.addresses, host.os].join(", ")}>
        {address ?? "no address"}
        {others.length > 0 && ` +${others.length}`}
        {host.os && ` · ${host.os}`}
      </p>
    </header>
  );
}

function Throughput({ host }: { host: HostSummary }) {
  const unit = "text-sm font-normal text-muted";
  return (
    <div>
      <div className="flex items-baseline justify-between gap-3 text-xl font-semibold tracking-tight">
        <DirectionRate
          direction="ingress"
          bitsPerSecond={host.throughput_bps?.ingress}
          unitClassName={unit}
        />
        <DirectionRate direction="egress" bitsPerSecond={host.throughput_bps?.egress} unitClassName={unit} />
      </div>
      <Sparkline points={course(host.recent, "throughput_bps")} tone="text-ingress" className="mt-1 h-9" />
    </div>
  );
}

interface ShareProps {
  label: string;
  percent: number | null | undefined;
  points: Point[];
  tone: string;
}

function Share({ label, percent, points, tone }: ShareProps) {
  return (
    <div>
      <p className="flex items-baseline justify-between gap-2 text-sm">
        <span className="text-muted">{label}</span>
        <span className="tabular font-medium">{formatPercent(percent)}</span>
      </p>
      <Sparkline points={points} max={100} tone={tone} className="mt-1" />
    </div>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex items-center justify-between gap-3 text-sm">
      <span className="shrink-0 text-muted">{label}</span>
      <span className="flex min-w-0 items-center gap-2">{children}</span>
    </div>
  );
}

function TopPeer({ peer }: { peer: PeerUsage | null | undefined }) {
  if (!peer) return <span className="text-muted">{ABSENT}</span>;
  const direction = peer.rate_bps.egress > peer.rate_bps.ingress ? "egress" : "ingress";
  return (
    <>
      <span className="truncate font-medium" title={peer.address}>
        {peer.address}
      </span>
      <DirectionRate direction={direction} bitsPerSecond={peer.rate_bps[direction]} className="text-muted" />
    </>
  );
}

function CardFoot({ host }: { host: HostSummary }) {
  return (
    <footer className="flex flex-wrap items-start justify-between gap-x-3 gap-y-1 border-t border-line pt-3">
      <div className="relative z-10 min-w-0">
        <CaptureBadge capture={host.capture} host={host.name} />
      </div>
      <p className="pt-0.5 text-xs text-muted">
        {host.capture_dropped > 0 ? (
          <span className="inline-flex items-center gap-1 font-medium text-bad">
            <TriangleAlert aria-hidden="true" className="size-3.5" />
            {plural(host.capture_dropped, "packet")} lost
          </span>
        ) : (
          footNote(host)
        )}
      </p>
    </footer>
  );
}

function footNote(host: HostSummary): string {
  if (host.status === "stale") return "last known figures";
  return host.is_authenticated ? `up for ${formatDuration(host.uptime_s)}` : "uptime not measured";
}

function course(
  recent: readonly RecentPoint[],
  key: "cpu_percent" | "memory_percent" | "throughput_bps",
): Point[] {
  return recent.map((point) => ({ x: milliseconds(point.at_us), y: point[key] ?? null }));
}
