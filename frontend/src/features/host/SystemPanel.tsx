import type { DiskInterval, HostDetail, MemoryUsage, MountUsage } from "../../api/types";
import { type Column, DataTable } from "../../components/DataTable";
import { levelTone, Meter } from "../../components/Meter";
import { Panel } from "../../components/Panel";
import { NoRows } from "../../components/states";
import { formatByteRate, formatBytes, formatPercent, formatPerSecond } from "../../lib/format";
import { mountUsedPercent } from "../../lib/usage";

/** Health of the host beside its traffic: file systems, disks, memory and cores. */
export function SystemPanel({ detail }: { detail: HostDetail }) {
  const { host, window } = detail.latest;
  const seconds = window.duration_us / 1e6;
  return (
    <section id="system" aria-label="System" className="grid gap-5 lg:grid-cols-2">
      <h2 className="sr-only">System</h2>
      <Panel title="File systems" level={3}>
        {host?.mounts?.length ? (
          <DataTable
            caption="File systems"
            columns={MOUNTS}
            rows={host.mounts}
            rowKey={(mount) => mount.path}
          />
        ) : (
          <NoRows>The last report names no file system.</NoRows>
        )}
      </Panel>
      <Panel title="Disks" note="Rates of the last report" level={3}>
        {host?.disks?.length ? (
          <DataTable
            caption="Disks"
            columns={diskColumns(seconds)}
            rows={host.disks}
            rowKey={(disk) => disk.name}
          />
        ) : (
          <NoRows>The last report names no disk.</NoRows>
        )}
      </Panel>
      <Panel title="Memory and swap" level={3}>
        {host?.memory ? <Memory memory={host.memory} /> : <NoRows>{noMemory(host?.memory_percent)}</NoRows>}
      </Panel>
      <Panel title="Cores" note="Use of each in the last report" level={3}>
        {host?.cpu?.cores_percent?.length ? (
          <Cores percents={host.cpu.cores_percent} />
        ) : (
          <NoRows>Known from the second report on.</NoRows>
        )}
      </Panel>
    </section>
  );
}

const MOUNTS: Column<MountUsage>[] = [
  {
    key: "path",
    header: "Mounted at",
    cell: (mount) => (
      <span title={`${mount.device ?? ""} ${mount.filesystem ?? ""}`}>
        <span className="font-medium break-all">{mount.path}</span>{" "}
        <span className="text-xs text-muted">{mount.filesystem}</span>
      </span>
    ),
  },
  {
    key: "used",
    header: "Used",
    cell: (mount) => (
      <span className="flex min-w-28 items-center gap-2">
        <Meter percent={mountUsedPercent(mount)} label={`Used of ${mount.path}`} className="flex-1" />
        <span className="w-12 text-right">{formatPercent(mountUsedPercent(mount))}</span>
      </span>
    ),
  },
  { key: "free", header: "Free", numeric: true, cell: (mount) => formatBytes(mount.available_bytes) },
  { key: "size", header: "Size", numeric: true, cell: (mount) => formatBytes(mount.total_bytes) },
];

function diskColumns(seconds: number): Column<DiskInterval>[] {
  const rate = (count: number | undefined) => (count === undefined || seconds === 0 ? null : count / seconds);
  return [
    { key: "name", header: "Disk", cell: (disk) => <span className="font-medium">{disk.name}</span> },
    {
      key: "read",
      header: "Read",
      numeric: true,
      cell: (disk) => formatByteRate(rate(disk.delta?.read_bytes)),
    },
    {
      key: "written",
      header: "Written",
      numeric: true,
      cell: (disk) => formatByteRate(rate(disk.delta?.written_bytes)),
    },
    {
      key: "reads",
      header: "Reads",
      numeric: true,
      cell: (disk) => formatPerSecond(rate(disk.delta?.reads)),
    },
    {
      key: "writes",
      header: "Writes",
      numeric: true,
      cell: (disk) => formatPerSecond(rate(disk.delta?.writes)),
    },
  ];
}

function noMemory(percent: number | null | undefined): string {
  return typeof percent === "number"
    ? `${formatPercent(percent)} of the memory is in use; how much that is was not measured.`
    : "Memory was not measured.";
}

function Memory({ memory }: { memory: MemoryUsage }) {
  const [swapTotal, swapUsed] = [memory.swap_total_bytes ?? 0, memory.swap_used_bytes ?? 0];
  return (
    <div className="space-y-4">
      <Usage label="Memory" used={memory.used_bytes} total={memory.total_bytes} />
      {swapTotal > 0 ? (
        <Usage label="Swap" used={swapUsed} total={swapTotal} />
      ) : (
        <p className="text-sm text-muted">No swap space.</p>
      )}
      <p className="text-xs text-muted">
        In use is what new work cannot have: total less available ({formatBytes(memory.available_bytes)}).
      </p>
    </div>
  );
}

function Usage({ label, used, total }: { label: string; used: number; total: number }) {
  const percent = total > 0 ? (used / total) * 100 : null;
  return (
    <div>
      <p className="tabular flex justify-between gap-3 text-sm">
        <span className="text-muted">{label}</span>
        <span>
          {formatBytes(used)} of {formatBytes(total)}{" "}
          <span className="font-medium">({formatPercent(percent)})</span>
        </span>
      </p>
      <Meter percent={percent} label={label} className="mt-1.5 h-2" />
    </div>
  );
}

function Cores({ percents }: { percents: readonly number[] }) {
  return (
    <ol className="grid grid-cols-[repeat(auto-fill,minmax(7.5rem,1fr))] gap-x-5 gap-y-2">
      {percents.map((percent, core) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the index is the core's number.
        <li key={core} className="tabular text-xs">
          <span className="flex justify-between gap-2">
            <span className="text-muted">{core}</span>
            <span>{formatPercent(percent)}</span>
          </span>
          <Meter
            percent={percent}
            label={`Core ${core}`}
            tone={percent >= 80 ? levelTone(percent) : "bg-cpu"}
            className="mt-1"
          />
        </li>
      ))}
    </ol>
  );
}
