import { describe, expect, it } from "vitest";
import { World } from "../../../e2e/mock/world";
import { matching, ordered, parseDashboardSearch, summarise } from "./selection";

const names = ["web-10", "web-2", "db-1"];
const hosts = new World({ hosts: 3, names, stale: [2] }).summaries();
const nameOf = (id: string) => hosts.find((host) => host.id === id)?.name;

describe("searching", () => {
  it("finds by part of the name or of any address, whatever the case", () => {
    expect(matching(hosts, "WEB").map((host) => host.name)).toEqual(["web-10", "web-2"]);
    expect(matching(hosts, "10.20.0.11").map((host) => host.name)).toEqual(["web-2"]);
    expect(matching(hosts, "2001:db8").length).toBe(3);
    expect(matching(hosts, "web 10.20.0.10").map((host) => host.name)).toEqual(["web-10"]);
    expect(matching(hosts, "nothing")).toEqual([]);
  });
});

describe("sorting", () => {
  it("counts numbers in names as numbers", () => {
    expect(ordered(hosts, "name").map(nameOf)).toEqual(["db-1", "web-2", "web-10"]);
  });

  it("puts the highest figure first and absent ones last", () => {
    const figures = hosts.map((host, index) => ({ ...host, cpu_percent: [5, null, 80][index] ?? null }));
    expect(ordered(figures, "cpu").map(nameOf)).toEqual(["db-1", "web-10", "web-2"]);
  });

  it("does not rank a stale host by the throughput that it once had", () => {
    const figures = hosts.map((host, index) => ({
      ...host,
      throughput_bps: { ingress: index * 1e9, egress: 0 },
    }));
    expect(ordered(figures, "throughput").map(nameOf)).toEqual(["web-2", "web-10", "db-1"]);
  });

  it("puts the host that was seen last first", () => {
    expect(ordered(hosts, "seen").map(nameOf).at(-1)).toBe("db-1");
  });
});

describe("the summary", () => {
  it("counts hosts, and sums the rates of those that report", () => {
    const figures = hosts.map((host) => ({
      ...host,
      throughput_bps: { ingress: 1e6, egress: 2e6 },
      capture_dropped: 3,
    }));
    expect(summarise(figures)).toMatchObject({
      up: 2,
      stale: 1,
      ingress: 2e6,
      egress: 4e6,
      lostPackets: 6,
      losingHosts: 2,
      capturing: 2,
    });
  });

  it("has no rate while none was measured", () => {
    const figures = hosts.map((host) => ({ ...host, throughput_bps: null }));
    expect(summarise(figures)).toMatchObject({ ingress: null, egress: null });
  });
});

it("takes only parameters that it knows from the URL", () => {
  expect(parseDashboardSearch({ q: "web", sort: "cpu", other: "x" })).toEqual({ q: "web", sort: "cpu" });
  expect(parseDashboardSearch({ q: "", sort: "toString" })).toEqual({});
});
