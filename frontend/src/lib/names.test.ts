import { expect, it } from "vitest";
import { endpoint, ethertypeName, protocolName, serviceName } from "./names";

it("names protocols and falls back to the number", () => {
  expect(protocolName(6)).toBe("TCP");
  expect(protocolName(58)).toBe("ICMPv6");
  expect(protocolName(253)).toBe("IP 253");
});

it("names EtherTypes, shows unknown ones in hexadecimal and knows lengths", () => {
  expect(ethertypeName(0x0806)).toBe("ARP");
  expect(ethertypeName(0x88cc)).toBe("LLDP");
  expect(ethertypeName(0x88b5)).toBe("0x88b5");
  expect(ethertypeName(0x0026)).toContain("802.3");
});

it("names services of TCP and UDP only", () => {
  expect(serviceName(6, 443)).toBe("https");
  expect(serviceName(17, 53)).toBe("domain");
  expect(serviceName(1, 443)).toBeUndefined();
  expect(serviceName(6, 50_000)).toBeUndefined();
});

it("writes endpoints with brackets around IPv6", () => {
  expect(endpoint("192.0.2.1", 80)).toBe("192.0.2.1:80");
  expect(endpoint("2001:db8::1", 80)).toBe("[2001:db8::1]:80");
  expect(endpoint("2001:db8::1", 0)).toBe("2001:db8::1");
});
