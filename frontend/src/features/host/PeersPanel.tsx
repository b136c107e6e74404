import { useState } from "react";
import type { HostDetail, PeerUsage } from "../../api/types";
import { type Column, DataTable, type Sorting, sorted } from "../../components/DataTable";
import { Pager } from "../../components/Pager";
import { Panel } from "../../components/Panel";
import { NoRows } from "../../components/states";
import { formatBitRate, formatBytes, formatCount, plural } from "../../lib/format";
import { formatLength } from "../../lib/time";

const PAGE_SIZE = 12;

export function PeersPanel({ detail }: { detail: HostDetail }) {
  const { peers, summary, window } = detail;
  const [sorting, setSorting] = useState<Sorting>({ key: "bytes", descending: true });
  const [page, setPage] = useState(0);
  const all = peers.reduce((sum, peer) => sum + total(peer), 0);
  const table = columns(all);
  const last = Math.max(0, Math.ceil(peers.length / PAGE_SIZE) - 1);
  const current = Math.min(page, last);
  const rows = sorted(peers, table, sorting).slice(current * PAGE_SIZE, (current + 1) * PAGE_SIZE);
  return (
    <Panel
      id="peers"
      title="Top peers"
      note={`Far ends of the flows on the uplinks, over ${formatLength(window)}${summary.capture.method === "sock_diag" ? "; TCP payload only" : ""}`}
    >
      {peers.length === 0 ? (
        <NoRows>
          {summary.capture.method === "counters"
            ? "This agent sees no flows, so its peers are not known."
            : "No traffic with any peer in this time."}
        </NoRows>
      ) : (
        <>
          <DataTable
            caption="Top peers"
            columns={table}
            rows={rows}
            rowKey={(peer) => peer.address}
            sorting={sorting}
            onSort={(next) => {
              setSorting(next);
              setPage(0);
            }}
          />
          <Pager noun="peers" page={current} pageSize={PAGE_SIZE} total={peers.length} onPage={setPage} />
        </>
      )}
    </Panel>
  );
}

function total(peer: PeerUsage): number {
  return peer.traffic.ingress.bytes + peer.traffic.egress.bytes;
}

function columns(all: number): Column<PeerUsage>[] {
  return [
    {
      key: "peer",
      header: "Peer",
      cell: (peer) => <PeerShare peer={peer} all={all} />,
      sortValue: (peer) => peer.address,
    },
    {
      key: "in",
      header: "In",
      numeric: true,
      cell: (peer) => formatBitRate(peer.rate_bps.ingress),
      sortValue: (peer) => peer.rate_bps.ingress,
    },
    {
      key: "out",
      header: "Out",
      numeric: true,
      cell: (peer) => formatBitRate(peer.rate_bps.egress),
      sortValue: (peer) => peer.rate_bps.egress,
    },
    {
      key: "bytes",
      header: "Bytes",
      numeric: true,
      cell: (peer) => formatBytes(total(peer)),
      sortValue: total,
      className: "max-sm:hidden",
    },
    {
      key: "flows",
      header: "Flows",
      numeric: true,
      cell: (peer) => formatCount(peer.flows),
      sortValue: (peer) => peer.flows,
      className: "max-sm:hidden",
    },
  ];
}

/** The address over a bar of its share of all bytes, split by direction. */
function PeerShare({ peer, all }: { peer: PeerUsage; all: number }) {
  const share = (bytes: number) => `${all > 0 ? (bytes / all) * 100 : 0}%`;
  return (
    <div className="min-w-28">
      <span className="font-medium break-all">{peer.address}</span>
      <span className="block text-xs text-muted sm:hidden">
        {formatBytes(total(peer))} in {plural(peer.flows, "flow")}
      </span>
      <div aria-hidden="true" className="mt-1 flex h-1 overflow-hidden rounded-full bg-sunken">
        <div className="bg-ingress" style={{ width: share(peer.traffic.ingress.bytes) }} />
        <div className="bg-egress" style={{ width: share(peer.traffic.egress.bytes) }} />
      </div>
    </div>
  );
}
