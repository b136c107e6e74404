/** Quantities as text. Prefixes are SI throughout: 1 Mbit/s is 10^6 bit/s, 1 GB is 10^9 bytes. */

export const ABSENT = "–";

export interface Quantity {
  value: string;
  unit: string;
}

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];
const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Bits per second, split so that the unit can be set smaller than the value. */
export function bitRate(bitsPerSecond: number | null | undefined): Quantity {
  return scaled(bitsPerSecond, "bit/s");
}

/** Bits per second, such as `12.3 Mbit/s`. */
export function formatBitRate(bitsPerSecond: number | null | undefined): string {
  return joined(bitRate(bitsPerSecond));
}

/** Bits per second of a round number, such as a link's speed, without zeros that say nothing: `1 Gbit/s`. */
export function formatRoundBitRate(bitsPerSecond: number | null | undefined): string {
  const { value, unit } = bitRate(bitsPerSecond);
  return joined({ value: value.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""), unit });
}

/** Bytes, such as `1.25 GB`. */
export function formatBytes(bytes: number | null | undefined): string {
  return joined(scaled(bytes, "B"));
}

/** Bytes per second, such as `4.10 MB/s`. */
export function formatByteRate(bytesPerSecond: number | null | undefined): string {
  return joined(scaled(bytesPerSecond, "B/s"));
}

/** Bytes to the byte, such as `1,250,000 B`; the sign is kept. */
export function formatBytesExact(bytes: number | null | undefined): string {
  return isNumber(bytes) ? `${formatCount(bytes)} B` : ABSENT;
}

/** A whole number with grouped digits. */
export function formatCount(count: number | null | undefined): string {
  if (!isNumber(count)) return ABSENT;
  return GROUPED.format(count).replace("-", "−").replace(/^−0$/, "0");
}

/** A percentage: one decimal below 100. */
export function formatPercent(percent: number | null | undefined): string {
  if (!isNumber(percent)) return ABSENT;
  const rounded = Math.round(percent * 10) / 10;
  return `${rounded >= 100 ? rounded.toFixed(0) : rounded.toFixed(1)}%`;
}

/** A rate of events, such as `42.5 /s`. */
export function formatPerSecond(perSecond: number | null | undefined): string {
  if (!isNumber(perSecond)) return ABSENT;
  return `${perSecond >= 100 ? formatCount(perSecond) : perSecond.toFixed(1)} /s`;
}

/** A round trip, such as `850 µs` or `12.3 ms`. */
export function formatMicros(micros: number | null | undefined): string {
  if (!isNumber(micros)) return ABSENT;
  return micros < 1_000 ? `${micros} µs` : `${(micros / 1_000).toFixed(micros < 100_000 ? 1 : 0)} ms`;
}

/** `1 host`, `2 hosts`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function joined({ value, unit }: Quantity): string {
  return unit === "" ? value : `${value} ${unit}`;
}

function scaled(quantity: number | null | undefined, unit: string): Quantity {
  if (!isNumber(quantity)) return { value: ABSENT, unit: "" };
  const sign = quantity < 0 ? "−" : "";
  let size = Math.abs(quantity);
  let prefix = 0;
  // The rounded figure decides, so that 999,999 reads 1.00 M and never 1000 k.
  while (Number(threeDigits(size, prefix)) >= 1000 && prefix < PREFIXES.length - 1) {
    size /= 1000;
    prefix += 1;
  }
  return { value: `${sign}${threeDigits(size, prefix)}`, unit: `${PREFIXES[prefix] ?? ""}${unit}` };
}

function threeDigits(size: number, prefix: number): string {
  if (prefix === 0 || size >= 99.95) return size.toFixed(0);
  return size >= 9.995 ? size.toFixed(1) : size.toFixed(2);
}
