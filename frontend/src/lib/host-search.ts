/** The parameters in the URL of a host's page. */

export const RANGES = { "5m": 300, "10m": 600, "30m": 1_800, "60m": 3_600 } as const;
export type Range = keyof typeof RANGES;
export const DEFAULT_RANGE: Range = "10m";

export interface HostSearch {
  range?: Range;
  /** Filter of the flow table. */
  flow?: string;
}

export function parseHostSearch(search: Record<string, unknown>): HostSearch {
  const { range, flow } = search;
  const parsed: HostSearch = {};
  if (typeof range === "string" && isRange(range)) parsed.range = range;
  if (typeof flow === "string" && flow !== "") parsed.flow = flow;
  return parsed;
}

export function isRange(text: string): text is Range {
  return Object.hasOwn(RANGES, text);
}
