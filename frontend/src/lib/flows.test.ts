import { expect, it } from "vitest";
import { World } from "../../e2e/mock/world";
import { flagNames, flowKey, flowService, lossNotice, matchingFlows } from "./flows";

const { flows } = new World({ hosts: 1 }).detail(0);

it("finds flows by address, port, protocol, service and interface, all words together", () => {
  expect(matchingFlows(flows, "")).toHaveLength(flows.length);
  for (const query of ["198.51.100.23", ":443", "tcp", "HTTPS", "br0", "tcp https eth0"]) {
    const found = matchingFlows(flows, query);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(flows.length);
  }
  expect(matchingFlows(flows, "udp https")).toEqual([]);
});

it("tells every flow from the others", () => {
  expect(new Set(flows.map(flowKey)).size).toBe(flows.length);
});

it("names the service of the peer's port first", () => {
  const [usage] = flows;
  if (usage === undefined) throw new Error("no flow");
  const of = (local_port: number, remote_port: number) =>
    flowService({ ...usage, flow: { ...usage.flow, protocol: 6, local_port, remote_port } });
  expect(of(22, 443)).toBe("https");
  expect(of(22, 50_000)).toBe("ssh");
  expect(of(50_001, 50_000)).toBeUndefined();
});

it("names TCP flags and none for other protocols", () => {
  expect(flagNames(6, 0x13)).toBe("SYN ACK FIN");
  expect(flagNames(6, 0x04)).toBe("RST");
  expect(flagNames(17, 0x13)).toBe("");
});

it("says how many rows are lost, why, and where their bytes are", () => {
  expect(lossNotice({ rows: 1_234, reason: "spool_full" })).toBe(
    "1,234 flow rows of this time did not arrive: the agent's spool was full. The bytes count as overflow.",
  );
  expect(lossNotice({ rows: 1, reason: "damage" })).toContain("1 flow row of this time");
});
