import { expect, it } from "vitest";
import { formatAge, formatClock, formatDuration, formatLength, formatMoment, windowEnd } from "./time";

it.each([
  [-3, "just now"],
  [0.4, "just now"],
  [2, "2 s ago"],
  [59.9, "59 s ago"],
  [60, "1 min ago"],
  [185, "3 min ago"],
  [7_200, "2 h ago"],
  [200_000, "2 d ago"],
])("%d s is %s", (seconds, text) => {
  expect(formatAge(seconds)).toBe(text);
});

it.each([
  [0, "0 s"],
  [45.9, "45 s"],
  [60, "1 min"],
  [61, "1 min 1 s"],
  [3_600, "1 h"],
  [3_900, "1 h 5 min"],
  [86_400, "1 d"],
  [273_600, "3 d 4 h"],
])("%d s lasts %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it("rounds the length of a window to seconds", () => {
  expect(formatLength({ start_us: 0, duration_us: 1_999_561 })).toBe("2 s");
  expect(formatLength({ start_us: 0, duration_us: 60_000_400 })).toBe("1 min");
});

it("writes local time of day with leading zeros", () => {
  const at = new Date(2026, 0, 5, 4, 5, 6).getTime();
  expect(formatClock(at, false)).toBe("04:05");
  expect(formatClock(at, true)).toBe("04:05:06");
  expect(formatMoment(at)).toBe("2026-01-05 04:05:06");
});

it("adds the length to the start of a window", () => {
  expect(windowEnd({ start_us: 1_000_000, duration_us: 2_000_000 })).toBe(3_000_000);
});
