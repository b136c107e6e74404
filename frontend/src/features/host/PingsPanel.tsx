import { useState } from "react";
import type { HostDetail, HostSummary, Probed } from "../../api/types";
import { type Column, DataTable, type Sorting, sorted } from "../../components/DataTable";
import { Panel } from "../../components/Panel";
import { RelativeTime } from "../../components/RelativeTime";
import { formatMicros } from "../../lib/format";
import { useHosts } from "../../lib/queries";

/** How other hosts and the collector answer this one; absent where it pings nobody. */
export function PingsPanel({ detail }: { detail: HostDetail }) {
  const [sorting, setSorting] = useState<Sorting>({ key: "lost", descending: true });
  const { data } = useHosts();
  if (detail.probes.length === 0) return null;
  const table = columns(data?.hosts ?? []);
  return (
    <Panel
      id="pings"
      title="Pings"
      note="Sent by this host within the last ten minutes; what others say of it is on their pages"
    >
      <DataTable
        caption="Pings"
        columns={table}
        rows={sorted(detail.probes, table, sorting)}
        rowKey={({ result }) => result.target}
        sorting={sorting}
        onSort={setSorting}
      />
    </Panel>
  );
}

const KIND: Record<Probed["result"]["kind"], string> = {
  icmp: "ICMP",
  tcp_connect: "TCP connect",
  other: "another way",
};

function columns(hosts: readonly HostSummary[]): Column<Probed>[] {
  const name = (address: string) => hosts.find((host) => host.addresses.includes(address))?.name;
  const time = (key: "min_us" | "mean_us" | "max_us", header: string): Column<Probed> => ({
    key,
    header,
    numeric: true,
    cell: ({ result }) => formatMicros(result[key]),
    sortValue: ({ result }) => result[key],
    className: key === "mean_us" ? "" : "max-sm:hidden",
  });
  return [
    {
      key: "target",
      header: "Target",
      cell: ({ result: { target } }) => (
        <>
          <span className="font-medium break-all">{target}</span>
          {name(target) && <span className="block text-xs break-all text-muted">{name(target)}</span>}
        </>
      ),
      sortValue: ({ result }) => result.target,
    },
    {
      key: "kind",
      header: "By",
      cell: ({ result }) => KIND[result.kind],
      sortValue: ({ result }) => KIND[result.kind],
      className: "max-sm:hidden",
    },
    {
      key: "lost",
      header: "Lost",
      numeric: true,
      cell: ({ result }) => (
        <span className={result.lost > 0 ? "font-medium text-bad" : ""}>
          {result.lost} of {result.sent}
        </span>
      ),
      sortValue: ({ result }) => (result.sent > 0 ? result.lost / result.sent : 0),
    },
    time("min_us", "Least"),
    time("mean_us", "Mean"),
    time("max_us", "Most"),
    {
      key: "at",
      header: "When",
      numeric: true,
      cell: ({ at_us }) => <RelativeTime atUs={at_us} />,
      sortValue: ({ at_us }) => at_us,
      className: "max-sm:hidden",
    },
  ];
}
