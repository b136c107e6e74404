/** Where the lines of a chart's grid go. */

const SECOND_MS = 1_000;
const TIME_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600].map((s) => s * SECOND_MS);

/** Round moments within `[from, to]`, at most `most` of them, all in milliseconds. */
export function timeTicks(from: number, to: number, most: number): { at: number[]; step: number } {
  const span = to - from;
  if (!(span > 0) || most < 1) return { at: [], step: SECOND_MS };
  const longest = TIME_STEPS_MS.at(-1) ?? SECOND_MS;
  const step =
    TIME_STEPS_MS.find((candidate) => Math.floor(span / candidate) + 1 <= most) ??
    Math.ceil(span / most / longest) * longest;
  const at: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) at.push(tick);
  return { at, step };
}

/** Round values from 0 to at least `max`, in steps of 1, 2 or 5 times a power of ten. */
export function valueTicks(max: number, most: number): number[] {
  const top = Number.isFinite(max) && max > 0 ? max : 1;
  const step = roundStep(top / Math.max(1, most - 1));
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * (1 - 1e-9)) ?? 10;
  return factor * power;
}
