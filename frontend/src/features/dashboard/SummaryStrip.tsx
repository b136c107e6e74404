import type { ReactNode } from "react";
import type { HostSummary } from "../../api/types";
import { DirectionRate } from "../../components/DirectionRate";
import { formatCount, plural } from "../../lib/format";
import { summarise } from "./selection";

/** All hosts in one line. */
export function SummaryStrip({ hosts }: { hosts: readonly HostSummary[] }) {
  const sum = summarise(hosts);
  return (
    <section aria-label="Summary" className="rounded-xl border border-line bg-surface shadow-card">
      <dl className="grid grid-cols-2 divide-line max-lg:[&>*:nth-child(n+3)]:border-t max-lg:[&>*:nth-child(even)]:border-l lg:grid-cols-4 lg:divide-x [&>*]:border-line">
        <Fact label="Hosts" note={sum.stale > 0 ? <Stale count={sum.stale} /> : "all reporting"}>
          {formatCount(sum.up)} <span className="text-base font-normal text-muted">up</span>
        </Fact>
        <Fact label="Received by all uplinks" note="hosts that report, now">
          <DirectionRate direction="ingress" bitsPerSecond={sum.ingress} unitClassName={UNIT} />
        </Fact>
        <Fact label="Sent by all uplinks" note="hosts that report, now">
          <DirectionRate direction="egress" bitsPerSecond={sum.egress} unitClassName={UNIT} />
        </Fact>
        <Fact label="Lost by capture" note={lossNote(sum)}>
          <span className={sum.lostPackets > 0 ? "text-bad" : ""}>{formatCount(sum.lostPackets)}</span>{" "}
          <span className={UNIT}>{sum.lostPackets === 1 ? "packet" : "packets"}</span>
        </Fact>
      </dl>
    </section>
  );
}

const UNIT = "text-base font-normal text-muted";

function Fact({ label, note, children }: { label: string; note: ReactNode; children: ReactNode }) {
  return (
    <div className="min-w-0 px-4 py-3.5 sm:px-5">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="tabular mt-0.5 text-2xl font-semibold tracking-tight whitespace-nowrap">{children}</dd>
      <dd className="text-sm text-muted">{note}</dd>
    </div>
  );
}

function Stale({ count }: { count: number }) {
  return <span className="font-medium text-warn">{formatCount(count)} stale</span>;
}

function lossNote({ lostPackets, losingHosts, capturing, up }: ReturnType<typeof summarise>): string {
  if (lostPackets > 0) return `on ${plural(losingHosts, "host")}, last report`;
  return `${formatCount(capturing)} of ${plural(up, "host")} capture frames`;
}
