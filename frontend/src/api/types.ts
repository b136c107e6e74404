/** Short names for the generated types. Nothing here is declared by hand. */
import type { components } from "./generated/schema";

type Schemas = components["schemas"];

export type Health = Schemas["Health"];
export type HostList = Schemas["HostList"];
export type HostSummary = Schemas["HostSummary"];
export type HostDetail = Schemas["HostDetail"];
export type CloneReason = Schemas["CloneReason"];
export type Problem = Schemas["Problem"];
export type SeriesSet = Schemas["SeriesSet"];
export type Series = Schemas["Series"];
export type Metric = Schemas["Metric"];
export type Gap = Schemas["Gap"];
export type ClockStep = Schemas["ClockStep"];
export type GapReason = Schemas["GapReason"];
export type Window = Schemas["Window"];
export type RecentPoint = Schemas["RecentPoint"];
export type CaptureStatus = Schemas["CaptureStatus"];
export type CaptureMethod = Schemas["CaptureMethod"];
export type PeerUsage = Schemas["PeerUsage"];
export type Probed = Schemas["Probed"];
export type FlowUsage = Schemas["FlowUsage"];
export type FlowsLost = Schemas["FlowsLost"];
export type InterfaceSum = Schemas["InterfaceSum"];
export type InterfaceInterval = Schemas["InterfaceInterval"];
export type InterfaceKind = Schemas["InterfaceKind"];
export type OperState = Schemas["OperState"];
export type HostMetrics = Schemas["HostMetrics"];
export type MemoryUsage = Schemas["MemoryUsage"];
export type MountUsage = Schemas["MountUsage"];
export type DiskInterval = Schemas["DiskInterval"];
export type Terms = Schemas["Terms"];
export type Tally = Schemas["Tally"];
export type Interval = Schemas["Interval"];
/** A rate for each direction, in bits per second. */
export type Rates = PeerUsage["rate_bps"];
