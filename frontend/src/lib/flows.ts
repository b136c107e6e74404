/** Flows as rows of a table. */

import type { FlowsLost, FlowUsage } from "../api/types";
import { plural } from "./format";
import { endpoint, protocolName, serviceName } from "./names";

const TCP = 6;
/** Bits of byte 13 of the TCP header (RFC 9293, section 3.1), in the order in which a connection shows them. */
const TCP_FLAGS: [number, string][] = [
  [0x02, "SYN"],
  [0x10, "ACK"],
  [0x08, "PSH"],
  [0x20, "URG"],
  [0x40, "ECE"],
  [0x80, "CWR"],
  [0x01, "FIN"],
  [0x04, "RST"],
];

export function flowBytes({ flow }: FlowUsage): number {
  return flow.traffic.ingress.bytes + flow.traffic.egress.bytes;
}

/** What tells a flow from every other. */
export function flowKey({ flow }: FlowUsage): string {
  const ends = [flow.local, flow.local_port ?? 0, flow.remote, flow.remote_port ?? 0];
  return [flow.interface ?? "", flow.protocol, ...ends].join(" ");
}

/** Name of the service of either end, the peer's first. */
export function flowService({ flow }: FlowUsage): string | undefined {
  return (
    serviceName(flow.protocol, flow.remote_port ?? 0) ?? serviceName(flow.protocol, flow.local_port ?? 0)
  );
}

/** TCP flags seen, such as `SYN ACK FIN`; empty for other protocols. */
export function flagNames(protocol: number, flags: number): string {
  if (protocol !== TCP) return "";
  return TCP_FLAGS.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(" ");
}

const LOSS_REASONS: Record<FlowsLost["reason"], string> = {
  queue_full: "the agent's queue was full",
  spool_full: "the agent's spool was full",
  too_old: "they waited too long for the collector",
  damage: "the agent's disk damaged them",
  refused: "the collector refused them",
  clock: "the host's clock was wrong",
  never_existed: "the agent does not have them",
  other: "for several reasons, or one that this version does not know",
};

/** What became of flow rows that were measured and did not arrive, as a sentence. */
export function lossNotice({ rows, reason }: FlowsLost): string {
  return `${plural(rows, "flow row")} of this time did not arrive: ${LOSS_REASONS[reason]}. The bytes count as overflow.`;
}

/** Flows in which every word of `query` occurs: in an address, a port, the protocol, the service or the interface. */
export function matchingFlows(flows: readonly FlowUsage[], query: string): FlowUsage[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...flows];
  return flows.filter((usage) => {
    const { flow } = usage;
    const text = [
      endpoint(flow.local, flow.local_port ?? 0),
      endpoint(flow.remote, flow.remote_port ?? 0),
      protocolName(flow.protocol),
      flowService(usage) ?? "",
      flow.interface ?? "",
    ]
      .join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
