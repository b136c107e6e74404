import { describe, expect, it } from "vitest";
import {
  ABSENT,
  formatBitRate,
  formatByteRate,
  formatBytes,
  formatBytesExact,
  formatCount,
  formatMicros,
  formatPercent,
  formatPerSecond,
  formatRoundBitRate,
  plural,
} from "./format";

describe("bit rates", () => {
  it.each([
    [0, "0 bit/s"],
    [999, "999 bit/s"],
    [1_000, "1.00 kbit/s"],
    [1_000_000, "1.00 Mbit/s"],
    [12_345_678, "12.3 Mbit/s"],
    [999_499, "999 kbit/s"],
    [999_500, "1.00 Mbit/s"],
    [9_994_000, "9.99 Mbit/s"],
    [9_999_000, "10.0 Mbit/s"],
    [99_950_000, "100 Mbit/s"],
    [40e9, "40.0 Gbit/s"],
    [2.5e21, "2500 Ebit/s"],
  ])("%d bit/s reads %s", (rate, text) => {
    expect(formatBitRate(rate)).toBe(text);
  });

  it("says that nothing was measured instead of zero", () => {
    expect(formatBitRate(null)).toBe(ABSENT);
    expect(formatBitRate(undefined)).toBe(ABSENT);
    expect(formatBitRate(Number.NaN)).toBe(ABSENT);
  });
});

it("drops zeros that say nothing from round rates", () => {
  expect(formatRoundBitRate(1e9)).toBe("1 Gbit/s");
  expect(formatRoundBitRate(2.5e9)).toBe("2.5 Gbit/s");
  expect(formatRoundBitRate(100e6)).toBe("100 Mbit/s");
  expect(formatRoundBitRate(0)).toBe("0 bit/s");
  expect(formatRoundBitRate(null)).toBe(ABSENT);
});

describe("bytes", () => {
  it("uses powers of ten", () => {
    expect(formatBytes(1_024)).toBe("1.02 kB");
    expect(formatBytes(1_000_000_000)).toBe("1.00 GB");
    expect(formatByteRate(1_500_000)).toBe("1.50 MB/s");
    expect(formatBytes(-1_500)).toBe("−1.50 kB");
  });

  it("are exact where they have to add up", () => {
    expect(formatBytesExact(1_234_567)).toBe("1,234,567 B");
    expect(formatBytesExact(-66)).toBe("−66 B");
    expect(formatBytesExact(-0)).toBe("0 B");
    expect(formatBytesExact(null)).toBe(ABSENT);
  });
});

describe("other quantities", () => {
  it("format percentages with one decimal below 100", () => {
    expect(formatPercent(0)).toBe("0.0%");
    expect(formatPercent(57.64)).toBe("57.6%");
    expect(formatPercent(99.96)).toBe("100%");
    expect(formatPercent(null)).toBe(ABSENT);
  });

  it("format counts and rates of events", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect(formatPerSecond(12.34)).toBe("12.3 /s");
    expect(formatPerSecond(12_345)).toBe("12,345 /s");
    expect(formatPerSecond(undefined)).toBe(ABSENT);
    expect(plural(1, "host")).toBe("1 host");
    expect(plural(2, "address", "addresses")).toBe("2 addresses");
  });
});

describe("round trips", () => {
  it.each([
    [0, "0 µs"],
    [999, "999 µs"],
    [1_000, "1.0 ms"],
    [12_345, "12.3 ms"],
    [123_456, "123 ms"],
    [null, ABSENT],
  ])("%s µs read %s", (micros, text) => {
    expect(formatMicros(micros)).toBe(text);
  });
});
