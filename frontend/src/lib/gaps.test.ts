import { describe, expect, it } from "vitest";
import type { Gap } from "../api/types";
import { buckets, gapsWithin, type Point, runs, standsAlone, toPoints } from "./gaps";

const gap = (start_us: number, duration_us: number): Gap => ({
  window: { start_us, duration_us },
  reason: "unknown",
});

describe("points of a series", () => {
  it("break inside a declared gap although both ends have values", () => {
    const points = toPoints([2_000, 4_000, 10_000], [1, 2, 3], [gap(4_000, 4_000)]);
    expect(points).toEqual([
      { x: 2, y: 1 },
      { x: 4, y: 2 },
      { x: 6, y: null },
      { x: 10, y: 3 },
    ]);
    expect(standsAlone(points, 3)).toBe(true);
    expect(standsAlone(points, 0)).toBe(false);
    expect(standsAlone(points, 2)).toBe(false);
  });

  it("keep absent values absent, never zero", () => {
    expect(toPoints([1_000, 2_000], [null], [])).toEqual([
      { x: 1, y: null },
      { x: 2, y: null },
    ]);
  });
});

describe("runs of a sparkline", () => {
  const points = (...pairs: [number, number | null][]): Point[] => pairs.map(([x, y]) => ({ x, y }));

  it("split where the spacing is well over the usual", () => {
    expect(runs(points([0, 1], [2, 1], [4, 1], [60, 9], [62, 9]))).toHaveLength(2);
  });

  it("split at absent values", () => {
    const split = runs(points([0, 1], [2, null], [4, 3]));
    expect(split.map((run) => run.map((point) => point.y))).toEqual([[1], [3]]);
  });

  it("tolerate one report that comes a little late", () => {
    expect(runs(points([0, 1], [2, 1], [4, 1], [8, 1], [10, 1]))).toHaveLength(1);
  });

  it("are none without points, and one for a single point", () => {
    expect(runs([])).toEqual([]);
    expect(runs(points([0, 5]))).toHaveLength(1);
  });
});

describe("buckets of a chart's table", () => {
  it("have mean and maximum, and nothing where nothing was measured", () => {
    const points = [
      { x: 0, y: 10 },
      { x: 4, y: 20 },
      { x: 25, y: null },
      { x: 30, y: 7 },
      { x: 31, y: 99 },
    ];
    expect(buckets(points, 0, 30, 3)).toEqual([
      { from: 0, to: 10, mean: 15, max: 20 },
      { from: 10, to: 20, mean: null, max: null },
      { from: 20, to: 30, mean: 7, max: 7 },
    ]);
    expect(buckets(points, 5, 5, 3)).toEqual([]);
  });
});

it("cuts gaps to the range and drops those outside", () => {
  expect(gapsWithin([gap(0, 5_000), gap(20_000, 1_000)], 2, 10)).toEqual([
    { from: 2, to: 5, reason: "unknown" },
  ]);
});
