/** Lines with holes. A span without data is neither zero nor bridged by a line. */

import type { ClockStep, Gap } from "../api/types";
import { clockStep, milliseconds, windowEnd } from "./time";

/** A point of a line: milliseconds since the Unix epoch and a value; a break where the value is null. */
export interface Point {
  x: number;
  y: number | null;
}

/** What a chart's table says about one stretch of time. */
export interface Bucket {
  from: number;
  to: number;
  mean: number | null;
  max: number | null;
}

/** The points of one series with a break inside every declared gap. */
export function toPoints(
  atUs: readonly number[],
  values: readonly (number | null | undefined)[],
  gaps: readonly Gap[],
): Point[] {
  const points = atUs.map((at, index): Point => ({ x: milliseconds(at), y: values[index] ?? null }));
  const breaks = gaps.map(
    (gap): Point => ({ x: milliseconds(gap.window.start_us + gap.window.duration_us / 2), y: null }),
  );
  return [...points, ...breaks].sort((a, b) => a.x - b.x);
}

/** Whether each point stands alone, with no neighbour that a line could lead to. */
export function standsAlone(points: readonly Point[], index: number): boolean {
  const missing = (point: Point | undefined) => point === undefined || point.y === null;
  return !missing(points[index]) && missing(points[index - 1]) && missing(points[index + 1]);
}

/** Unbroken runs of points for a line without declared gaps: it breaks at absent values and where the spacing is well over the usual. */
export function runs(points: readonly Point[]): Point[][] {
  const limit = medianSpacing(points) * 2.5;
  const result: Point[][] = [];
  let current: Point[] = [];
  let previous: Point | undefined;
  for (const point of points) {
    const broken = point.y === null || (previous !== undefined && point.x - previous.x > limit);
    if (broken && current.length > 0) {
      result.push(current);
      current = [];
    }
    if (point.y !== null) current.push(point);
    previous = point;
  }
  if (current.length > 0) result.push(current);
  return result;
}

/** Mean and maximum of equal stretches between `from` and `to`; a stretch without points has neither. */
export function buckets(points: readonly Point[], from: number, to: number, count: number): Bucket[] {
  const width = (to - from) / count;
  if (!(width > 0)) return [];
  const sums = Array.from({ length: count }, () => ({ sum: 0, n: 0, max: Number.NEGATIVE_INFINITY }));
  for (const { x, y } of points) {
    const sum = sums[Math.min(count - 1, Math.floor((x - from) / width))];
    if (y === null || x < from || x > to || sum === undefined) continue;
    sum.sum += y;
    sum.n += 1;
    sum.max = Math.max(sum.max, y);
  }
  return sums.map(({ sum, n, max }, index) => ({
    from: from + index * width,
    to: from + (index + 1) * width,
    mean: n > 0 ? sum / n : null,
    max: n > 0 ? max : null,
  }));
}

/** Gaps cut to a range, in milliseconds. */
export function gapsWithin(gaps: readonly Gap[], from: number, to: number) {
  return gaps
    .map((gap) => ({
      from: Math.max(from, milliseconds(gap.window.start_us)),
      to: Math.min(to, milliseconds(windowEnd(gap.window))),
      reason: gap.reason,
    }))
    .filter((gap) => gap.to > gap.from);
}

/** Where the host's clock was set within a range, in milliseconds, and how it is called. */
export function stepsWithin(steps: readonly ClockStep[], from: number, to: number) {
  return steps
    .map((step) => ({ at: milliseconds(step.at_us), label: clockStep(step.by_us) }))
    .filter(({ at }) => at >= from && at <= to);
}

function medianSpacing(points: readonly Point[]): number {
  const spacings = points.slice(1).map((point, index) => point.x - (points[index]?.x ?? point.x));
  spacings.sort((a, b) => a - b);
  return spacings[Math.floor(spacings.length / 2)] ?? Number.POSITIVE_INFINITY;
}
