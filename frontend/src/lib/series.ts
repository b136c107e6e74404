/** Keeps a fetched set of series current with the reports that arrive on the event stream. */

import type { HostDetail, InterfaceInterval, Metric, Series, SeriesSet } from "../api/types";
import { windowEnd } from "./time";

/** The set with the point of one more report; the same set where that report is no news. */
export function extended(set: SeriesSet, detail: HostDetail): SeriesSet {
  const { window } = detail.latest;
  const at = windowEnd(window);
  const last = set.at_us.at(-1);
  if (window.duration_us === 0 || (last !== undefined && at <= last)) return set;

  const missing = last === undefined ? 0 : window.start_us - last;
  const gaps =
    last !== undefined && isGap(missing, window.duration_us)
      ? [...set.gaps, { window: { start_us: last, duration_us: missing }, reason: "unknown" as const }]
      : set.gaps;
  const end = Math.max(windowEnd(set.range), at);
  const start = end - set.range.duration_us;
  const from = set.at_us.findIndex((moment) => moment > start);
  const keep = from === -1 ? set.at_us.length : from;
  return {
    range: { start_us: start, duration_us: set.range.duration_us },
    at_us: [...set.at_us.slice(keep), at],
    series: withNewInterfaces(set, detail).map((series) => ({
      ...series,
      values: [...series.values.slice(keep), measured(series, detail)],
    })),
    gaps: gaps.filter((gap) => windowEnd(gap.window) > start),
    clock_steps: set.clock_steps.filter((step) => step.at_us > start),
  };
}

/** Windows of successive reports touch, or nearly; the collector calls more than half a window a gap. */
function isGap(missingUs: number, durationUs: number): boolean {
  return missingUs > durationUs / 2;
}

/** Bits per second from bytes and the length of their window. */
export function bitsPerSecond(bytes: number, durationUs: number): number | null {
  return durationUs > 0 ? (bytes * 8e6) / durationUs : null;
}

/** The rates of an interface in its last report; absent where the kernel's counters have no change. */
export function interfaceRates(part: InterfaceInterval, durationUs: number) {
  const of = (bytes: number | undefined) => (bytes === undefined ? null : bitsPerSecond(bytes, durationUs));
  return { ingress: of(part.kernel?.ingress.bytes), egress: of(part.kernel?.egress.bytes) };
}

/** The values of one series of a set. */
export function seriesOf(set: SeriesSet, metric: Metric, name?: string): Series["values"] {
  return (
    set.series.find((series) => series.metric === metric && (series.interface ?? undefined) === name)
      ?.values ?? []
  );
}

/** Names of the interfaces that a set has rates of. */
export function interfacesOf(set: SeriesSet): string[] {
  const names = set.series
    .filter((series) => series.metric === "ingress_bps")
    .flatMap((series) => series.interface ?? []);
  return [...new Set(names)];
}

function withNewInterfaces(set: SeriesSet, detail: HostDetail): Series[] {
  const known = new Set(interfacesOf(set));
  const blank = set.at_us.map(() => null);
  const added = (detail.latest.interfaces ?? [])
    .map((part) => part.facts.name)
    .filter((name) => !known.has(name))
    .flatMap((name): Series[] => [
      { metric: "ingress_bps", interface: name, values: blank },
      { metric: "egress_bps", interface: name, values: blank },
    ]);
  return [...set.series, ...added];
}

function measured(series: Series, detail: HostDetail): number | null {
  const { summary, latest } = detail;
  switch (series.metric) {
    case "cpu_percent":
      return summary.cpu_percent ?? null;
    case "memory_percent":
      return summary.memory_percent ?? null;
    case "total_ingress_bps":
      return summary.throughput_bps?.ingress ?? null;
    case "total_egress_bps":
      return summary.throughput_bps?.egress ?? null;
    default: {
      const part = latest.interfaces?.find(({ facts }) => facts.name === series.interface);
      if (part === undefined) return null;
      const rates = interfaceRates(part, latest.window.duration_us);
      return series.metric === "ingress_bps" ? rates.ingress : rates.egress;
    }
  }
}
