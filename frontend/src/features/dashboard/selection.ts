/** Which hosts the dashboard shows, and in which order. */

import type { HostSummary } from "../../api/types";

export const SORT_LABEL = {
  name: "Name",
  throughput: "Throughput",
  cpu: "CPU",
  memory: "Memory",
  seen: "Last seen",
} as const;
export type SortKey = keyof typeof SORT_LABEL;
export const DEFAULT_SORT: SortKey = "name";

export interface DashboardSearch {
  q?: string;
  sort?: SortKey;
}

export function parseDashboardSearch(search: Record<string, unknown>): DashboardSearch {
  const { q, sort } = search;
  const parsed: DashboardSearch = {};
  if (typeof q === "string" && q !== "") parsed.q = q;
  if (typeof sort === "string" && isSortKey(sort)) parsed.sort = sort;
  return parsed;
}

export function isSortKey(text: string): text is SortKey {
  return Object.hasOwn(SORT_LABEL, text);
}

/** Hosts whose name or one of whose addresses contains every word of `query`. */
export function matching(hosts: readonly HostSummary[], query: string): HostSummary[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return hosts.filter((host) => {
    const text = [host.name, ...host.addresses].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Identifiers in order: names ascending, figures and times from the top; equals by name. */
export function ordered(hosts: readonly HostSummary[], sort: SortKey): string[] {
  const byName = (a: HostSummary, b: HostSummary) =>
    a.name.localeCompare(b.name, "en", { numeric: true }) || a.id.localeCompare(b.id);
  const figure = (host: HostSummary) => sortFigure(host, sort) ?? Number.NEGATIVE_INFINITY;
  return [...hosts]
    .sort((a, b) => {
      if (sort === "name") return byName(a, b);
      const [left, right] = [figure(a), figure(b)];
      return left === right ? byName(a, b) : right - left;
    })
    .map((host) => host.id);
}

/** Both directions of the uplinks together, in bits per second; absent where neither is known. */
export function totalThroughput(host: HostSummary): number | null {
  return host.throughput_bps ? host.throughput_bps.ingress + host.throughput_bps.egress : null;
}

/** What the strip above the cards says. Rates are those of hosts that report; last-known ones would be old. */
export function summarise(hosts: readonly HostSummary[]) {
  const up = hosts.filter((host) => host.status === "up");
  const measured = up.filter((host) => host.throughput_bps);
  const losing = up.filter((host) => host.capture_dropped > 0);
  const sum = (of: (host: HostSummary) => number) => up.reduce((total, host) => total + of(host), 0);
  return {
    up: up.length,
    stale: hosts.length - up.length,
    ingress: measured.length > 0 ? sum((host) => host.throughput_bps?.ingress ?? 0) : null,
    egress: measured.length > 0 ? sum((host) => host.throughput_bps?.egress ?? 0) : null,
    lostPackets: sum((host) => host.capture_dropped),
    losingHosts: losing.length,
    capturing: up.filter((host) => host.capture.method === "af_packet" || host.capture.method === "libpcap")
      .length,
  };
}

function sortFigure(host: HostSummary, sort: SortKey): number | null | undefined {
  switch (sort) {
    case "cpu":
      return host.cpu_percent;
    case "memory":
      return host.memory_percent;
    case "throughput":
      return host.status === "up" ? totalThroughput(host) : null;
    default:
      return host.last_seen_us;
  }
}
