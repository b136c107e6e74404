/** Names that engineers know for the numbers that travel. */

import type { CaptureMethod, CloneReason, GapReason, InterfaceKind, OperState } from "../api/types";

/** IANA "Protocol Numbers". */
const PROTOCOLS: Record<number, string> = {
  1: "ICMP",
  2: "IGMP",
  4: "IPv4",
  6: "TCP",
  17: "UDP",
  41: "IPv6",
  47: "GRE",
  50: "ESP",
  51: "AH",
  58: "ICMPv6",
  89: "OSPF",
  103: "PIM",
  112: "VRRP",
  132: "SCTP",
  255: "not known",
};

/** IEEE 802 numbers, as IANA lists them. */
const ETHERTYPES: Record<number, string> = {
  2054: "ARP",
  2114: "Wake-on-LAN",
  32821: "RARP",
  33024: "802.1Q",
  34825: "Slow protocols (LACP)",
  34887: "MPLS",
  34888: "MPLS multicast",
  34915: "PPPoE discovery",
  34916: "PPPoE session",
  34958: "802.1X (EAPOL)",
  34984: "802.1ad",
  35020: "LLDP",
  35045: "MACsec",
  35063: "PTP",
  35074: "CFM",
  36864: "Loopback test",
};

/** Registered ports that explain a flow at a glance (IANA service names). */
const SERVICES: Record<number, string> = {
  20: "ftp-data",
  21: "ftp",
  22: "ssh",
  25: "smtp",
  53: "domain",
  67: "dhcp",
  68: "dhcp",
  80: "http",
  110: "pop3",
  123: "ntp",
  143: "imap",
  161: "snmp",
  179: "bgp",
  389: "ldap",
  443: "https",
  445: "smb",
  465: "smtps",
  514: "syslog",
  546: "dhcpv6",
  547: "dhcpv6",
  587: "submission",
  636: "ldaps",
  853: "dns-tls",
  873: "rsync",
  993: "imaps",
  995: "pop3s",
  1194: "openvpn",
  1883: "mqtt",
  2049: "nfs",
  2379: "etcd",
  3260: "iscsi",
  3306: "mysql",
  3389: "rdp",
  4789: "vxlan",
  5201: "iperf3",
  5353: "mdns",
  5432: "postgresql",
  5672: "amqp",
  6379: "redis",
  6443: "kubernetes",
  9090: "prometheus",
  9092: "kafka",
  9100: "node-exporter",
  9200: "elasticsearch",
  11211: "memcached",
  27017: "mongodb",
  51820: "wireguard",
};

export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? `IP ${protocol}`;
}

/** What an EtherType means; below 1536 the field is a length (IEEE 802.3). */
export function ethertypeName(ethertype: number): string {
  if (ethertype < 0x600) return "802.3 LLC (spanning tree and others)";
  return ETHERTYPES[ethertype] ?? `0x${ethertype.toString(16).padStart(4, "0")}`;
}

/** Name of the service at a port, where TCP or UDP and well known. */
export function serviceName(protocol: number, port: number): string | undefined {
  return protocol === 6 || protocol === 17 ? SERVICES[port] : undefined;
}

/** Address and port, with brackets around IPv6 (RFC 3986); no port where the protocol has none. */
export function endpoint(address: string, port: number): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export const CAPTURE_LABEL: Record<CaptureMethod, string> = {
  af_packet: "AF_PACKET",
  libpcap: "libpcap",
  sock_diag: "TCP only",
  host_pairs: "Host pairs only",
  counters: "No flows",
};

export const CAPTURE_MEANING: Record<CaptureMethod, string> = {
  af_packet: "Every frame is seen, through a Linux packet ring.",
  libpcap: "Every frame is seen, through libpcap.",
  sock_diag:
    "Flows come from the kernel's TCP connection counters (sock_diag): payload bytes, no UDP, no interface.",
  host_pairs:
    "Bytes between pairs of monitored hosts, as an agent of the original program counts them: no other peers, no ports, no packets.",
  counters: "Only the interface counters are read: no peers and no flows.",
};

export const CLONE_MEANING: Record<CloneReason, string> = {
  epochs_alternate:
    "Reports of two runs arrive at the same time under one credential. All of them are stored, and mixed here.",
  number_reused:
    "One report number came with two different reports. Only the first of each is stored, the other machine's is lost.",
};

export const KIND_LABEL: Record<InterfaceKind, string> = {
  physical: "Physical",
  wireless: "Wireless",
  loopback: "Loopback",
  bridge: "Bridge",
  bond: "Bond",
  vlan: "VLAN",
  veth: "veth",
  tunnel: "Tunnel",
  other: "Other",
};

export const STATE_LABEL: Record<OperState, string> = {
  up: "Up",
  down: "Down",
  dormant: "Dormant",
  lower_layer_down: "Lower layer down",
  unknown: "Unknown",
};

export const GAP_LABEL: Record<GapReason, string> = {
  agent_off: "agent did not run",
  asleep: "host slept",
  clock: "clock wrong",
  spool_full: "lost: spool full",
  damage: "lost: damaged on disk",
  refused: "refused by the collector",
  not_yet: "not arrived yet",
  unknown: "no data",
};
