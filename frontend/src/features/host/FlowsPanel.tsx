import { useState } from "react";
import type { FlowUsage, HostDetail } from "../../api/types";
import { type Column, DataTable, type Sorting, sorted } from "../../components/DataTable";
import { TriangleAlert } from "../../components/Icon";
import { Pager } from "../../components/Pager";
import { Panel } from "../../components/Panel";
import { SearchField } from "../../components/SearchField";
import { NoRows } from "../../components/states";
import { flagNames, flowBytes, flowKey, flowService, lossNotice, matchingFlows } from "../../lib/flows";
import { ABSENT, formatBitRate, formatBytes, formatBytesExact } from "../../lib/format";
import { endpoint, protocolName } from "../../lib/names";
import { formatLength } from "../../lib/time";

const PAGE_SIZE = 15;

interface FlowsPanelProps {
  detail: HostDetail;
  filter: string;
  onFilter: (filter: string) => void;
}

export function FlowsPanel({ detail, filter, onFilter }: FlowsPanelProps) {
  const { flows, flows_lost: lost, summary, window } = detail;
  const [sorting, setSorting] = useState<Sorting>({ key: "bytes", descending: true });
  const [page, setPage] = useState(0);
  const found = sorted(matchingFlows(flows, filter), COLUMNS, sorting);
  const last = Math.max(0, Math.ceil(found.length / PAGE_SIZE) - 1);
  const current = Math.min(page, last);
  return (
    <Panel
      id="flows"
      title="Top flows"
      note={`Every interface, over ${formatLength(window)}`}
      actions={
        <SearchField
          label="Filter flows"
          placeholder="Address, port, protocol"
          value={filter}
          onValue={onFilter}
          isSmall
          className="w-full sm:w-60"
        />
      }
    >
      {lost && (
        <p className="flex items-start gap-2 pb-3 text-sm text-warn">
          <TriangleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
          {lossNotice(lost)}
        </p>
      )}
      {found.length === 0 ? (
        <NoRows>{reasonForNone(flows, filter, summary.capture.method)}</NoRows>
      ) : (
        <>
          <DataTable
            caption="Top flows"
            columns={COLUMNS}
            rows={found.slice(current * PAGE_SIZE, (current + 1) * PAGE_SIZE)}
            rowKey={flowKey}
            sorting={sorting}
            onSort={(next) => {
              setSorting(next);
              setPage(0);
            }}
          />
          <Pager noun="flows" page={current} pageSize={PAGE_SIZE} total={found.length} onPage={setPage} />
        </>
      )}
    </Panel>
  );
}

function reasonForNone(flows: readonly FlowUsage[], filter: string, method: string): string {
  if (flows.length > 0) return `None of ${flows.length} flows contains “${filter}”.`;
  return method === "counters" ? "This agent sees no flows." : "No flow in this time.";
}

const COLUMNS: Column<FlowUsage>[] = [
  {
    key: "remote",
    header: "Peer",
    cell: (usage) => <Peer usage={usage} />,
    sortValue: ({ flow }) => endpoint(flow.remote, flow.remote_port ?? 0),
  },
  {
    key: "local",
    header: "Local",
    cell: ({ flow }) => <span className="break-all">{endpoint(flow.local, flow.local_port ?? 0)}</span>,
    sortValue: ({ flow }) => endpoint(flow.local, flow.local_port ?? 0),
    className: "max-md:hidden",
  },
  {
    key: "protocol",
    header: "Protocol",
    cell: (usage) => <Protocol usage={usage} />,
    sortValue: (usage) => `${protocolName(usage.flow.protocol)} ${flowService(usage) ?? ""}`,
    className: "max-sm:hidden",
  },
  {
    key: "interface",
    header: "Interface",
    cell: ({ flow }) => flow.interface ?? ABSENT,
    sortValue: ({ flow }) => flow.interface,
    className: "max-md:hidden",
  },
  {
    key: "in",
    header: "In",
    numeric: true,
    cell: (usage) => formatBitRate(usage.rate_bps.ingress),
    sortValue: (usage) => usage.rate_bps.ingress,
  },
  {
    key: "out",
    header: "Out",
    numeric: true,
    cell: (usage) => formatBitRate(usage.rate_bps.egress),
    sortValue: (usage) => usage.rate_bps.egress,
  },
  {
    key: "bytes",
    header: "Bytes",
    numeric: true,
    cell: (usage) => <span title={formatBytesExact(flowBytes(usage))}>{formatBytes(flowBytes(usage))}</span>,
    sortValue: flowBytes,
    className: "max-sm:hidden",
  },
];

/** The far end; on narrow screens with what the hidden columns say. */
function Peer({ usage }: { usage: FlowUsage }) {
  const { flow } = usage;
  return (
    <div className="min-w-36">
      <span className="font-medium break-all">{endpoint(flow.remote, flow.remote_port ?? 0)}</span>
      <span className="block text-xs text-muted sm:hidden">
        <Protocol usage={usage} /> · {formatBytes(flowBytes(usage))}
      </span>
    </div>
  );
}

function Protocol({ usage }: { usage: FlowUsage }) {
  const { protocol, tcp_flags: flags = 0 } = usage.flow;
  const service = flowService(usage);
  return (
    <span className="whitespace-nowrap" title={flagNames(protocol, flags) || undefined}>
      {protocolName(protocol)}
      {service && <span className="text-muted"> {service}</span>}
    </span>
  );
}
