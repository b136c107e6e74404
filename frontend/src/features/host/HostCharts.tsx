import { useMemo, useState } from "react";
import type { HostDetail, SeriesSet } from "../../api/types";
import { Failure, Skeleton } from "../../components/states";
import { TimeChart, type TimeChartProps } from "../../components/TimeChart";
import { isStatus } from "../../lib/api-client";
import { formatRoundBitRate } from "../../lib/format";
import { gapsWithin, stepsWithin, toPoints } from "../../lib/gaps";
import { RANGES, type Range } from "../../lib/host-search";
import { useSeries } from "../../lib/queries";
import { interfacesOf, seriesOf } from "../../lib/series";
import { milliseconds, windowEnd } from "../../lib/time";

/** Interfaces beyond this many, and idle ones, wait behind a button. */
const FIRST_INTERFACES = 4;

export function HostCharts({ detail, range }: { detail: HostDetail; range: Range }) {
  const { data, error, refetch } = useSeries(detail.summary.id, RANGES[range]);
  return (
    <section id="charts" aria-label="Charts" className="space-y-5">
      <h2 className="sr-only">Charts</h2>
      {error && !isStatus(error, 401) && (
        <Failure title="The charts could not be read" error={error} retry={() => void refetch()} />
      )}
      {data === undefined && !error && (
        <div role="status" aria-label="Loading the charts">
          <Skeleton className="h-72 rounded-xl" />
        </div>
      )}
      {data !== undefined && <Charts set={data} detail={detail} />}
    </section>
  );
}

function Charts({ set, detail }: { set: SeriesSet; detail: HostDetail }) {
  const axis = useMemo(() => {
    const from = milliseconds(set.range.start_us);
    const to = milliseconds(windowEnd(set.range));
    return { from, to, gaps: gapsWithin(set.gaps, from, to), steps: stepsWithin(set.clock_steps, from, to) };
  }, [set]);
  const points = (values: (number | null)[]) => toPoints(set.at_us, values, set.gaps);
  const uplinks = (detail.latest.interfaces ?? [])
    .filter(({ facts }) => facts.is_uplink)
    .map(({ facts }) => facts.name);
  return (
    <>
      <TimeChart
        {...axis}
        title="Throughput"
        note={uplinks.length > 0 ? `Uplinks: ${uplinks.join(", ")}` : "Uplinks"}
        unit="bps"
        height="h-64"
        lines={[
          { label: "In", tone: "ingress", points: points(seriesOf(set, "total_ingress_bps")) },
          { label: "Out", tone: "egress", points: points(seriesOf(set, "total_egress_bps")) },
        ]}
      />
      <div className="grid gap-5 lg:grid-cols-2">
        <TimeChart
          {...axis}
          title="CPU"
          unit="percent"
          lines={[{ label: "All cores", tone: "cpu", points: points(seriesOf(set, "cpu_percent")) }]}
        />
        <TimeChart
          {...axis}
          title="Memory"
          unit="percent"
          lines={[{ label: "In use", tone: "memory", points: points(seriesOf(set, "memory_percent")) }]}
        />
      </div>
      <InterfaceCharts set={set} detail={detail} axis={axis} points={points} />
    </>
  );
}

interface InterfaceChartsProps {
  set: SeriesSet;
  detail: HostDetail;
  axis: Pick<TimeChartProps, "from" | "to" | "gaps" | "steps">;
  points: (values: (number | null)[]) => ReturnType<typeof toPoints>;
}

/** A chart per interface: uplinks first, then those that moved anything, in an order that does not jump about. */
function InterfaceCharts({ set, detail, axis, points }: InterfaceChartsProps) {
  const [allShown, showAll] = useState(false);
  const facts = new Map((detail.latest.interfaces ?? []).map((part) => [part.facts.name, part.facts]));
  const moved = (name: string) =>
    [...seriesOf(set, "ingress_bps", name), ...seriesOf(set, "egress_bps", name)].some(
      (value) => value !== null && value > 0,
    );
  const ranked = interfacesOf(set)
    .map((name) => ({ name, uplink: facts.get(name)?.is_uplink ?? false, moved: moved(name) }))
    .sort(
      (a, b) =>
        Number(b.uplink) - Number(a.uplink) ||
        Number(b.moved) - Number(a.moved) ||
        a.name.localeCompare(b.name),
    );
  const first = ranked.filter(({ uplink, moved }) => uplink || moved).slice(0, FIRST_INTERFACES);
  const shown = (allShown ? ranked : first).map(({ name }) => name);
  return (
    <>
      <div className="grid gap-5 lg:grid-cols-2">
        {shown.map((name) => (
          <TimeChart
            key={name}
            {...axis}
            title={name}
            note={interfaceNote(facts.get(name))}
            unit="bps"
            height="h-40"
            lines={[
              { label: "In", tone: "ingress", points: points(seriesOf(set, "ingress_bps", name)) },
              { label: "Out", tone: "egress", points: points(seriesOf(set, "egress_bps", name)) },
            ]}
          />
        ))}
      </div>
      {ranked.length > first.length && (
        <button
          type="button"
          aria-expanded={allShown}
          onClick={() => showAll(!allShown)}
          className="rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-sm font-medium hover:bg-sunken"
        >
          {allShown ? "Show fewer interfaces" : `Show all ${ranked.length} interfaces`}
        </button>
      )}
    </>
  );
}

type Facts = NonNullable<HostDetail["latest"]["interfaces"]>[number]["facts"];

function interfaceNote(facts: Facts | undefined): string {
  if (facts === undefined) return "gone";
  const speed = facts.speed_bps == null ? "speed unknown" : `link of ${formatRoundBitRate(facts.speed_bps)}`;
  return facts.is_uplink ? `Uplink, ${speed}` : speed.charAt(0).toUpperCase() + speed.slice(1);
}
