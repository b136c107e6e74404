/** Moments and spans as text. The API counts microseconds since the Unix epoch; the page milliseconds. */

import type { Window } from "../api/types";

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

export function milliseconds(microseconds: number): number {
  return microseconds / 1_000;
}

/** End of a window in microseconds since the Unix epoch. */
export function windowEnd(window: Window): number {
  return window.start_us + window.duration_us;
}

/** How long ago something was, such as `3 min ago`. A moment in the future reads `just now`: clocks differ by a little. */
export function formatAge(seconds: number): string {
  if (seconds < 1.5) return "just now";
  return `${largestUnit(seconds)} ago`;
}

/** A span in its two largest units, such as `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours] = [Math.floor(whole / DAY_S), Math.floor((whole % DAY_S) / HOUR_S)];
  const [minutes, rest] = [Math.floor((whole % HOUR_S) / MINUTE_S), whole % MINUTE_S];
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${rest} s`;
}

/** Length of a window to the nearest second: reports of 2 s last 1.9996 s or 2.0003 s. */
export function formatLength(window: Window): string {
  return formatDuration(Math.round(window.duration_us / 1_000_000));
}

/** Local time of day, such as `14:05:09`. */
export function formatClock(atMs: number, withSeconds: boolean): string {
  const at = new Date(atMs);
  const parts = [at.getHours(), at.getMinutes()];
  if (withSeconds) parts.push(at.getSeconds());
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Local date and time in full, for a tooltip. */
export function formatMoment(atMs: number): string {
  const at = new Date(atMs);
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return `${date.map((part) => String(part).padStart(2, "0")).join("-")} ${formatClock(atMs, true)}`;
}

/** How far a clock is off, such as `1 h behind`. */
export function clockOff(us: number): string {
  return `${formatDuration(Math.abs(us) / 1_000_000)} ${us < 0 ? "behind" : "ahead"}`;
}

/** What was done to a clock, such as `clock set back 1 h`. */
export function clockStep(byUs: number): string {
  return `clock set ${byUs < 0 ? "back" : "forward"} ${formatDuration(Math.abs(byUs) / 1_000_000)}`;
}

function largestUnit(seconds: number): string {
  if (seconds < MINUTE_S) return `${Math.floor(seconds)} s`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
  if (seconds < DAY_S) return `${Math.floor(seconds / HOUR_S)} h`;
  return `${Math.floor(seconds / DAY_S)} d`;
}
