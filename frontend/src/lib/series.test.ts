import { describe, expect, it } from "vitest";
import { World } from "../../e2e/mock/world";
import type { HostDetail, SeriesSet } from "../api/types";
import { extended, interfaceRates, interfacesOf, seriesOf } from "./series";

const SECOND = 1_000_000;

const set: SeriesSet = {
  range: { start_us: 0, duration_us: 10 * SECOND },
  at_us: [6 * SECOND, 8 * SECOND, 10 * SECOND],
  series: [
    { metric: "cpu_percent", interface: null, values: [1, 2, 3] },
    { metric: "total_ingress_bps", interface: null, values: [10, 20, 30] },
    { metric: "ingress_bps", interface: "eth0", values: [7, 8, 9] },
    { metric: "egress_bps", interface: "eth0", values: [4, 5, 6] },
    { metric: "ingress_bps", interface: "old0", values: [1, 1, 1] },
  ],
  gaps: [],
  clock_steps: [],
};

function report(startS: number, durationS = 2): HostDetail {
  const detail = new World({ hosts: 1 }).detail(0);
  const window = { start_us: startS * SECOND, duration_us: durationS * SECOND };
  const eth0 = detail.latest.interfaces.filter(({ facts }) => facts.name === "eth0");
  const counters = { bytes: 1_000, packets: 1, errors: 0, drops: 0 };
  const kernel = { ingress: counters, egress: { ...counters, bytes: 500 } };
  return {
    ...detail,
    summary: { ...detail.summary, cpu_percent: 42, throughput_bps: { ingress: 4_000, egress: 2_000 } },
    latest: { ...detail.latest, window, interfaces: eth0.map((part) => ({ ...part, kernel })) },
  };
}

describe("extending a set with a report", () => {
  it("adds one point to every series and moves the range", () => {
    const next = extended(set, report(10));
    expect(next.at_us.at(-1)).toBe(12 * SECOND);
    expect(next.range).toEqual({ start_us: 2 * SECOND, duration_us: 10 * SECOND });
    expect(seriesOf(next, "cpu_percent")).toEqual([1, 2, 3, 42]);
    expect(seriesOf(next, "total_ingress_bps").at(-1)).toBe(4_000);
    expect(seriesOf(next, "ingress_bps", "eth0").at(-1)).toBe(4_000);
    expect(seriesOf(next, "egress_bps", "eth0").at(-1)).toBe(2_000);
    expect(next.gaps).toEqual([]);
  });

  it("leaves the value of a vanished interface absent, never zero", () => {
    expect(seriesOf(extended(set, report(10)), "ingress_bps", "old0").at(-1)).toBeNull();
  });

  it("declares the time between two reports that do not touch a gap", () => {
    const next = extended(set, report(14));
    expect(next.gaps).toEqual([
      { window: { start_us: 10 * SECOND, duration_us: 4 * SECOND }, reason: "unknown" },
    ]);
    expect(extended(set, report(10.9)).gaps).toEqual([]);
  });

  it("ignores a report that it already has, or an older one", () => {
    expect(extended(set, report(8))).toBe(set);
    expect(extended(set, report(2))).toBe(set);
  });

  it("drops points and gaps that leave the range", () => {
    const withGap = {
      ...set,
      gaps: [{ window: { start_us: 0, duration_us: SECOND }, reason: "unknown" as const }],
    };
    const next = extended(withGap, report(16));
    expect(next.at_us).toEqual([10 * SECOND, 18 * SECOND]);
    expect(seriesOf(next, "cpu_percent")).toEqual([3, 42]);
    expect(next.gaps.map((gap) => gap.window.start_us)).toEqual([10 * SECOND]);
  });

  it("starts series for an interface that appears", () => {
    const bare = { ...set, series: set.series.slice(0, 2) };
    const next = extended(bare, report(10));
    expect(interfacesOf(next)).toEqual(["eth0"]);
    expect(seriesOf(next, "ingress_bps", "eth0")).toEqual([null, null, null, 4_000]);
  });

  it("fills an empty set", () => {
    const next = extended(
      { ...set, at_us: [], series: set.series.map((s) => ({ ...s, values: [] })) },
      report(10),
    );
    expect(next.at_us).toEqual([12 * SECOND]);
    expect(next.gaps).toEqual([]);
  });
});

it("has no rate without a kernel reading or without a window", () => {
  const [part] = report(10).latest.interfaces;
  if (part === undefined) throw new Error("the report has no interface");
  expect(interfaceRates({ ...part, kernel: null }, SECOND)).toEqual({ ingress: null, egress: null });
  expect(interfaceRates(part, 0)).toEqual({ ingress: null, egress: null });
  expect(interfaceRates(part, SECOND)).toEqual({ ingress: 8_000, egress: 4_000 });
});
