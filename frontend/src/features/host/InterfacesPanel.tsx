import { useState } from "react";
import type { HostDetail, InterfaceInterval, OperState } from "../../api/types";
import { type Column, DataTable, type Sorting, sorted } from "../../components/DataTable";
import { Panel } from "../../components/Panel";
import { NoRows } from "../../components/states";
import { ABSENT, formatBitRate, formatCount, formatPercent, formatRoundBitRate } from "../../lib/format";
import { KIND_LABEL, STATE_LABEL } from "../../lib/names";
import { interfaceRates } from "../../lib/series";
import { formatLength } from "../../lib/time";

interface Row {
  part: InterfaceInterval;
  rates: { ingress: number | null; egress: number | null };
  /** Use of the link in its busier direction, in percent. */
  share: number | null;
}

const STATE_TONE: Record<OperState, string> = {
  up: "bg-good",
  down: "bg-bad",
  dormant: "bg-warn",
  lower_layer_down: "bg-bad",
  unknown: "bg-muted",
};

export function InterfacesPanel({ detail }: { detail: HostDetail }) {
  const [sorting, setSorting] = useState<Sorting>({ key: "uplink", descending: true });
  const durationUs = detail.latest.window.duration_us;
  const rows = (detail.latest.interfaces ?? []).map((part) => row(part, durationUs));
  return (
    <Panel
      id="interfaces"
      title="Interfaces"
      note={`Rates and counts of the last report (${formatLength(detail.latest.window)})`}
    >
      {rows.length === 0 ? (
        <NoRows>The last report names no interface.</NoRows>
      ) : (
        <DataTable
          caption="Interfaces"
          columns={COLUMNS}
          rows={sorted(rows, COLUMNS, sorting)}
          rowKey={({ part }) => part.facts.name}
          sorting={sorting}
          onSort={setSorting}
        />
      )}
    </Panel>
  );
}

function row(part: InterfaceInterval, durationUs: number): Row {
  const rates = interfaceRates(part, durationUs);
  const speed = part.facts.speed_bps;
  const busier = Math.max(rates.ingress ?? 0, rates.egress ?? 0);
  const share = speed && rates.ingress !== null ? (busier / speed) * 100 : null;
  return { part, rates, share };
}

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    header: "Name",
    cell: ({ part }) => <span className="font-medium">{part.facts.name}</span>,
    sortValue: ({ part }) => part.facts.name,
  },
  {
    key: "uplink",
    header: "Uplink",
    cell: ({ part }) =>
      part.facts.is_uplink ? (
        <span
          className="rounded bg-accent-wash px-1.5 py-0.5 text-xs text-accent"
          title={
            part.facts.has_default_route
              ? "A default route leaves through it"
              : "No other interface is stacked on it"
          }
        >
          uplink
        </span>
      ) : (
        <span className="text-muted">{ABSENT}</span>
      ),
    sortValue: ({ part }) => Number(part.facts.is_uplink ?? false),
  },
  {
    key: "state",
    header: "State",
    cell: ({ part }) => <State state={part.facts.state ?? "unknown"} />,
    sortValue: ({ part }) => STATE_LABEL[part.facts.state ?? "unknown"],
  },
  {
    key: "kind",
    header: "Kind",
    cell: ({ part }) => KIND_LABEL[part.facts.kind ?? "other"],
    sortValue: ({ part }) => KIND_LABEL[part.facts.kind ?? "other"],
  },
  {
    key: "speed",
    header: "Speed",
    numeric: true,
    cell: ({ part }) => formatRoundBitRate(part.facts.speed_bps),
    sortValue: ({ part }) => part.facts.speed_bps,
  },
  {
    key: "in",
    header: "In",
    numeric: true,
    cell: ({ rates }) => formatBitRate(rates.ingress),
    sortValue: ({ rates }) => rates.ingress,
  },
  {
    key: "out",
    header: "Out",
    numeric: true,
    cell: ({ rates }) => formatBitRate(rates.egress),
    sortValue: ({ rates }) => rates.egress,
  },
  {
    key: "share",
    header: "Of link",
    numeric: true,
    cell: ({ share }) => (
      <span className={share !== null && share >= 80 ? "font-medium text-warn" : ""}>
        {formatPercent(share)}
      </span>
    ),
    sortValue: ({ share }) => share,
  },
  {
    key: "errors",
    header: "Errors in / out",
    numeric: true,
    cell: ({ part }) => <Faults ingress={part.kernel?.ingress.errors} egress={part.kernel?.egress.errors} />,
    sortValue: ({ part }) =>
      part.kernel && (part.kernel.ingress.errors ?? 0) + (part.kernel.egress.errors ?? 0),
  },
  {
    key: "drops",
    header: "Drops in / out",
    numeric: true,
    cell: ({ part }) => <Faults ingress={part.kernel?.ingress.drops} egress={part.kernel?.egress.drops} />,
    sortValue: ({ part }) =>
      part.kernel && (part.kernel.ingress.drops ?? 0) + (part.kernel.egress.drops ?? 0),
  },
  {
    key: "stacked",
    header: "Stacked on",
    cell: ({ part }) => part.facts.stacked_on?.join(", ") || <span className="text-muted">{ABSENT}</span>,
  },
];

function State({ state }: { state: OperState }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span aria-hidden="true" className={`size-2 rounded-full ${STATE_TONE[state]}`} />
      {STATE_LABEL[state]}
    </span>
  );
}

function Faults({ ingress, egress }: { ingress: number | undefined; egress: number | undefined }) {
  const some = (ingress ?? 0) + (egress ?? 0) > 0;
  return (
    <span className={some ? "font-medium text-bad" : "text-muted"}>
      {formatCount(ingress)} / {formatCount(egress)}
    </span>
  );
}
