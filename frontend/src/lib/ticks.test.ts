import { describe, expect, it } from "vitest";
import { timeTicks, valueTicks } from "./ticks";

const MINUTE = 60_000;

describe("time ticks", () => {
  it("fall on round moments inside the range", () => {
    const { at, step } = timeTicks(30_000, 10 * MINUTE + 30_000, 6);
    expect(step).toBe(2 * MINUTE);
    expect(at).toEqual([2, 4, 6, 8, 10].map((m) => m * MINUTE));
  });

  it.each([5, 10, 30, 60, 600])("never exceed what fits: %d min", (minutes) => {
    for (const most of [2, 4, 8]) {
      const { at } = timeTicks(12_345, 12_345 + minutes * MINUTE, most);
      expect(at.length).toBeGreaterThan(0);
      expect(at.length).toBeLessThanOrEqual(most);
    }
  });

  it("are none for an empty range", () => {
    expect(timeTicks(5, 5, 6).at).toEqual([]);
    expect(timeTicks(5, 4, 6).at).toEqual([]);
  });
});

describe("value ticks", () => {
  it.each([
    [100, 5, [0, 50, 100]],
    [100, 6, [0, 20, 40, 60, 80, 100]],
    [37e6, 5, [0, 1e7, 2e7, 3e7, 4e7]],
    [0, 3, [0, 0.5, 1]],
    [Number.NaN, 3, [0, 0.5, 1]],
  ])("up to %d", (max, most, ticks) => {
    expect(valueTicks(max, most)).toEqual(ticks);
  });

  it("always cover the largest value", () => {
    for (const max of [0.3, 1, 7, 99, 101, 12_345, 9.99e8]) {
      const ticks = valueTicks(max, 5);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
  });
});
