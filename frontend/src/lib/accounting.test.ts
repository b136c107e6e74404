import { expect, it } from "vitest";
import type { InterfaceSum } from "../api/types";
import { accounts } from "./accounting";

const tally = (bytes: number) => ({ bytes, packets: 1 });
const terms = { attributed: tally(900), overflow: tally(50), non_ip: tally(30), malformed: tally(5) };
const sum: InterfaceSum = {
  name: "eth0",
  is_uplink: true,
  kernel: { ingress: tally(1_000), egress: tally(980) },
  captured: { ingress: terms, egress: terms },
  residual_bytes: { ingress: 15, egress: -5 },
  intervals_without_kernel: 0,
};

it("adds up in each direction, with a negative residual as well", () => {
  const [ingress, egress] = accounts(sum);
  expect(ingress).toEqual({
    direction: "ingress",
    kernel: 1_000,
    terms: { attributed: 900, overflow: 50, nonIp: 30, malformed: 5, residual: 15 },
    difference: 0,
  });
  expect(egress?.difference).toBe(0);
});

it("shows by how much it does not add up", () => {
  const [ingress] = accounts({ ...sum, residual_bytes: { ingress: 0, egress: 0 } });
  expect(ingress?.difference).toBe(15);
});

it("makes no claim without a residual or without capture", () => {
  expect(accounts({ ...sum, residual_bytes: null })[0]?.difference).toBeNull();
  expect(accounts({ ...sum, captured: null })).toEqual([]);
});
