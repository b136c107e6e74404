import type { HostDetail, InterfaceSum } from "../../api/types";
import { Check, TriangleAlert } from "../../components/Icon";
import { Panel } from "../../components/Panel";
import { NoRows } from "../../components/states";
import { type Account, accounts } from "../../lib/accounting";
import { formatBytesExact, formatCount, plural } from "../../lib/format";
import { formatLength } from "../../lib/time";
import { Breakdown } from "./Breakdown";

const TERMS = [
  { key: "attributed", label: "Attributed", tone: "bg-accent" },
  { key: "overflow", label: "Overflow", tone: "bg-cpu" },
  { key: "nonIp", label: "Non-IP", tone: "bg-memory" },
  { key: "malformed", label: "Malformed", tone: "bg-other-b" },
  { key: "residual", label: "Residual", tone: "hatched" },
] as const;

/** Where each byte of the kernel's counters went, to the byte. */
export function AccountingPanel({ detail }: { detail: HostDetail }) {
  const captured = detail.interfaces.filter((sum) => sum.captured);
  const others = detail.interfaces.filter((sum) => !sum.captured);
  return (
    <Panel
      id="accounting"
      title="Accounting of bytes"
      note={`Kernel counter = attributed + overflow + non-IP + malformed + residual, over ${formatLength(detail.window)}`}
    >
      {captured.length === 0 && (
        <NoRows>
          No interface is captured, so only the kernel's counters are known. Connection counters make no claim
          on the bytes of an interface.
        </NoRows>
      )}
      <div className="grid gap-x-8 gap-y-6 xl:grid-cols-2">
        {captured.map((sum) => (
          <InterfaceAccount key={sum.name} sum={sum} detail={detail} />
        ))}
      </div>
      {others.length > 0 && <NotCaptured sums={others} />}
      <OverflowWithoutInterface detail={detail} />
      <Losses detail={detail} />
      <Explanation />
    </Panel>
  );
}

function InterfaceAccount({ sum, detail }: { sum: InterfaceSum; detail: HostDetail }) {
  const part = detail.latest.interfaces?.find(({ facts }) => facts.name === sum.name);
  return (
    <section aria-label={`Accounting of ${sum.name}`} className="min-w-0 space-y-3">
      <h3 className="flex items-center gap-2 font-medium">
        {sum.name}
        {sum.is_uplink && (
          <span className="rounded bg-accent-wash px-1.5 py-0.5 text-xs text-accent">uplink</span>
        )}
      </h3>
      {accounts(sum).map((account) => (
        <DirectionAccount key={account.direction} account={account} />
      ))}
      {sum.intervals_without_kernel > 0 && (
        <p className="text-xs text-muted">
          {plural(sum.intervals_without_kernel, "report")} had no kernel reading (first after a start, or a
          counter reset); the residual leaves {sum.intervals_without_kernel === 1 ? "it" : "them"} out.
        </p>
      )}
      {part && <Breakdown part={part} />}
    </section>
  );
}

function DirectionAccount({ account }: { account: Account }) {
  const name = account.direction === "ingress" ? "In" : "Out";
  const { terms } = account;
  const whole = Math.max(1, account.kernel, ...TERMS.map(({ key }) => terms[key] ?? 0), positiveSum(account));
  return (
    <div>
      <div className="flex flex-wrap items-baseline justify-between gap-x-3 text-sm">
        <p>
          <span className={`font-medium ${account.direction === "ingress" ? "text-ingress" : "text-egress"}`}>
            {name}
          </span>{" "}
          <span className="text-muted">kernel</span>{" "}
          <span className="tabular font-medium">{formatBytesExact(account.kernel)}</span>
        </p>
        <Verdict account={account} />
      </div>
      <div aria-hidden="true" className="mt-1.5 flex h-3 overflow-hidden rounded bg-sunken">
        {TERMS.map(({ key, tone }) => (
          <div
            key={key}
            className={tone}
            style={{ width: `${(Math.max(0, terms[key] ?? 0) / whole) * 100}%` }}
          />
        ))}
      </div>
      <dl className="mt-1.5 grid grid-cols-2 gap-x-4 gap-y-1 text-xs sm:grid-cols-3">
        {TERMS.map(({ key, label, tone }) => (
          <div key={key} className="flex min-w-0 items-baseline justify-between gap-2">
            <dt className="flex items-center gap-1.5 text-muted">
              <span aria-hidden="true" className={`size-2 rounded-sm ${tone}`} />
              {label}
            </dt>
            <dd className="tabular whitespace-nowrap">{formatBytesExact(terms[key])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Verdict({ account }: { account: Account }) {
  if (account.difference === null) return null;
  if (account.difference !== 0) {
    return (
      <span className="inline-flex items-center gap-1 text-xs font-medium text-warn">
        <TriangleAlert aria-hidden="true" className="size-3.5" />
        {formatBytesExact(account.difference)} outside kernel readings
      </span>
    );
  }
  return (
    <span className="inline-flex items-center gap-1 text-xs font-medium text-good">
      <Check aria-hidden="true" className="size-3.5" />
      {account.terms.residual === 0 ? "every byte accounted for" : "adds up"}
    </span>
  );
}

function NotCaptured({ sums }: { sums: readonly InterfaceSum[] }) {
  return (
    <section aria-label="Interfaces that are not captured" className="mt-5 border-t border-line pt-4">
      <h3 className="text-sm font-medium">Not captured: counted by the kernel only</h3>
      <ul className="mt-2 grid gap-x-8 gap-y-1 text-sm sm:grid-cols-2 xl:grid-cols-3">
        {sums.map((sum) => (
          <li key={sum.name} className="flex flex-wrap justify-between gap-x-3">
            <span>{sum.name}</span>
            <span className="tabular text-muted">
              in {formatBytesExact(sum.kernel.ingress.bytes)}, out {formatBytesExact(sum.kernel.egress.bytes)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Connections beyond the bound of the agent's table, under a method that knows no interface. */
function OverflowWithoutInterface({ detail }: { detail: HostDetail }) {
  const { ingress, egress } = detail.latest.overflow_without_interface;
  if (ingress.bytes + egress.bytes === 0) return null;
  return (
    <p className="mt-5 border-t border-line pt-4 text-sm text-muted">
      Connections beyond the agent's table, last report: in {formatBytesExact(ingress.bytes)}, out{" "}
      {formatBytesExact(egress.bytes)}.
    </p>
  );
}

function Losses({ detail }: { detail: HostDetail }) {
  const losses = detail.latest.losses ?? [];
  if (losses.length === 0) return null;
  return (
    <section aria-label="Capture losses" className="mt-5 border-t border-line pt-4 text-sm">
      <h3 className="font-medium">Capture, last report</h3>
      <ul className="mt-1 space-y-0.5 text-muted">
        {losses.map((loss) => (
          <li key={`${loss.source} ${loss.interface ?? ""}`} className="tabular">
            {loss.source}
            {loss.interface && ` on ${loss.interface}`}: {formatCount(loss.received)} packets received,{" "}
            <span className={loss.dropped > 0 ? "font-medium text-bad" : ""}>
              {formatCount(loss.dropped)} lost
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Explanation() {
  return (
    <details className="mt-5 border-t border-line pt-4 text-sm">
      <summary className="w-fit rounded font-medium">What the terms mean</summary>
      <dl className="mt-2 max-w-3xl space-y-1.5 text-muted">
        {EXPLANATIONS.map(([term, meaning]) => (
          <div key={term}>
            <dt className="inline font-medium text-ink">{term}: </dt>
            <dd className="inline">{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

const EXPLANATIONS = [
  [
    "Kernel",
    "what the interface's own counter moved by, the truth that everything else is measured against.",
  ],
  ["Attributed", "bytes on the wire that belong to a flow, and so to a peer."],
  [
    "Overflow",
    "flows beyond what the agent's table or report holds, and those whose rows were lost on their way: counted, but not told apart.",
  ],
  ["Non-IP", "frames that carry no IP, such as ARP, LLDP or spanning tree."],
  ["Malformed", "frames that are broken, cut, or of a link layer that the agent does not read."],
  [
    "Residual",
    "what the kernel counted and the capture did not see: lost packets, and at the edges of an interval a few frames in flight, which may make it negative.",
  ],
] as const;

function positiveSum({ terms }: Account): number {
  return TERMS.reduce((sum, { key }) => sum + Math.max(0, terms[key] ?? 0), 0);
}
