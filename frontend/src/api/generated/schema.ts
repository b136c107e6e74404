// Generated from openapi/bwmon-v1.json by `npm run generate`; do not edit.

export interface paths {
    "/api/v1/agent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whom the credential of this request stands for
         * @description For agents: tells whether a report would be taken, and stores nothing.
         */
        get: operations["agent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/peers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Hosts that the agent of this request is to ping
         * @description For agents: at most 32 of the other agents' hosts. Where there are more they take turns, a minute each.
         */
        get: operations["peers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrol": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enrol an agent
         * @description For the agent that was given a token of `bwmon-collector enrol-token`. It draws its credential
         *     itself, stores it, and sends the SHA-256 of it; the same request once more gives the same answer
         *     and spends nothing. Needs nothing but the token.
         */
        post: operations["enrol"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live events
         * @description `event: host` with a HostSummary after reports of each host, at most once a second, and when a
         *     host becomes stale. With `host`, also `event: detail` with its HostDetail, at once and after each
         *     of its reports. A client that connects again (`Last-Event-ID`), or is too slow, gets every
         *     host's summary anew.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the collector is
         * @description Never needs a token; without one that is needed, only version and need are told.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Hosts and their current figures */
        get: operations["hosts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One host in full */
        get: operations["host"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/{id}/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A host's recent course */
        get: operations["series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/{id}/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A host's traffic, summed over a range */
        get: operations["traffic"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Store records of one agent
         * @description Whose they are is told by the credential that the request shows, and by nothing in the body.
         *     Answers after the commit. The body may be compressed (`Content-Encoding: gzip` or `zstd`), with
         *     at most 1 MiB as sent and 8 MiB after decompression. The document is JSON, or protobuf as
         *     `docs/wire.md` describes it; the receipt is protobuf where `Accept` names that type.
         */
        post: operations["ingest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["document"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open a session
         * @description For browsers: the answer sets a cookie that stands for the token. Where no token is needed
         *     nothing is set.
         */
        post: operations["open"];
        /** Close the session */
        delete: operations["close"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics of the collector itself
         * @description In Prometheus' exposition format.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What one source of frames received and lost, in packets. */
        CaptureLoss: {
            /**
             * Format: int64
             * @description Packets lost because the ring was full. Their bytes are part of the residual.
             */
            dropped: number;
            /**
             * @description The interface, where the source tells them apart; a ring that several interfaces share
             *     does not.
             */
            interface: string | null;
            /**
             * Format: int64
             * @description Packets that passed the filter, lost ones included.
             */
            received: number;
            /** @description The collector that counted, such as `af_packet`. */
            source: string;
        };
        /**
         * @description How an agent sees flows, best first.
         * @enum {string}
         */
        CaptureMethod: "af_packet" | "libpcap" | "sock_diag" | "host_pairs" | "counters";
        /** @description How flows were seen in an interval, and why not better. */
        CaptureStatus: {
            /** @description Names of the interfaces whose frames are captured. */
            interfaces: string[];
            /** @description The method in use. */
            method: components["schemas"]["CaptureMethod"];
            /**
             * @description What is missing for the next better method, and the command that grants it; absent when the
             *     best one is in use or nothing more was asked for.
             */
            note: string | null;
        };
        /**
         * @description The agent's clocks at the end of a window. Within one boot they tell how long ago something was,
         *     whatever happened to the wall clock in between.
         */
        ClockReading: {
            /**
             * Format: int64
             * @description How far the receiver moved the report's times, because the agent's wall clock was off; the
             *     agent's own times are this much earlier. Filled in by a receiver, whatever an agent says.
             */
            moved_us: number;
            /**
             * Format: int64
             * @description The same clock when the agent's process started.
             */
            process_started_us: number;
            /**
             * Format: int64
             * @description Microseconds since the host booted, sleep included (`CLOCK_BOOTTIME`, clock_gettime(2)).
             */
            since_boot_us: number;
            /**
             * Format: int64
             * @description The part of them that the host slept.
             */
            suspended_us: number;
        };
        /** @description A host's wall clock was set. */
        ClockStep: {
            /**
             * Format: int64
             * @description End of the first report after it, by the collector's clock.
             */
            at_us: number;
            /**
             * Format: int64
             * @description How far it was set forward, in microseconds; negative where it was set back.
             */
            by_us: number;
        };
        /**
         * @description What tells that an agent was cloned.
         * @enum {string}
         */
        CloneReason: "epochs_alternate" | "number_reused";
        /** @description An agent's credential is used in two places. One of them must enrol again. */
        Cloned: {
            /** @description What tells it. */
            reason: components["schemas"]["CloneReason"];
            /**
             * Format: int64
             * @description When it was first noticed, by the collector's clock.
             */
            since_us: number;
        };
        /** @description Processor use within the interval, in percent of the time. */
        CpuUsage: {
            /** @description Each core, 0 to 100, in the system's order. */
            cores_percent: number[];
            /**
             * Format: float
             * @description All cores together, 0 to 100.
             */
            total_percent: number;
        };
        /** @description Counters of one disk. */
        DiskCounters: {
            /**
             * Format: int64
             * @description Bytes read.
             */
            read_bytes: number;
            /**
             * Format: int64
             * @description Completed read operations.
             */
            reads: number;
            /**
             * Format: int64
             * @description Completed write operations.
             */
            writes: number;
            /**
             * Format: int64
             * @description Bytes written.
             */
            written_bytes: number;
        };
        /** @description Traffic of one disk within the interval. */
        DiskInterval: {
            delta: components["schemas"]["DiskCounters"] | null;
            /** @description Kernel name, such as `nvme0n1`. */
            name: string;
        };
        /** @description What travels in the body of one delivery: records of one agent. */
        Document: {
            /** @description The records, at most [`bounds::RECORDS`]. */
            records: components["schemas"]["Record"][];
            /**
             * Format: int32
             * @description Version of the model, [`SCHEMA`].
             */
            schema: number;
        };
        /**
         * @description Why records are gone.
         * @enum {string}
         */
        DropReason: "queue_full" | "spool_full" | "too_old" | "damage" | "refused" | "clock" | "never_existed" | "other";
        /** @description Says that the records `from_seq` to the record's own `seq` will never come. */
        Dropped: {
            /**
             * Format: int64
             * @description First record that is gone.
             */
            from_seq: number;
            /** @description Why. */
            reason: components["schemas"]["DropReason"];
            /**
             * Format: int64
             * @description How many reports are gone; fewer than the numbers covered where some were never used.
             */
            reports: number;
        };
        /** @description What an enrolled agent is. */
        Enrolment: {
            /** @description Its identity, 32 hexadecimal digits. */
            agent: string;
        };
        /** @description What an agent asks for with a token. */
        EnrolmentRequest: {
            /** @description SHA-256 of the credential that the agent has drawn and stored, 64 hexadecimal digits. */
            credential_sha256: string;
            /** @description The name that the host gives itself, to be recognised by in `bwmon-collector agents list`. */
            host_name: string;
            /** @description The token's secret, 64 hexadecimal digits. */
            secret: string;
            /** @description Which token, 16 hexadecimal digits. */
            token_id: string;
        };
        /** @description The first record of an epoch. */
        EpochStart: {
            /** @description The agent's epoch before this one, where it knows. */
            previous: string | null;
            /**
             * Format: int64
             * @description When it began.
             */
            started_us: number;
        };
        /** @description What became of one record of a batch. */
        Fate: "stored" | "duplicate" | {
            /** @description Will never be taken, for this reason. */
            refused: string;
        };
        /**
         * @description One flow on one interface within one interval.
         *
         *     `local` is the end on this host's side of the interface: the destination of what came in, the
         *     source of what went out. A flow that is seen on two interfaces of one host has a row on each.
         */
        FlowRow: {
            /**
             * Format: int64
             * @description First frame within the window.
             */
            first_us: number;
            /** @description Name of the interface; absent where the source knows none (sock_diag). */
            interface: string | null;
            /**
             * Format: int64
             * @description Last frame within the window.
             */
            last_us: number;
            /**
             * @description Address on this host's side.
             * @example 192.0.2.10
             */
            local: string;
            /**
             * Format: int32
             * @description Port on this host's side; 0 where the protocol has none.
             */
            local_port: number;
            /**
             * Format: int32
             * @description IP protocol number (IANA "Protocol Numbers"): 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
             */
            protocol: number;
            /**
             * @description Address of the peer.
             * @example 198.51.100.7
             */
            remote: string;
            /**
             * Format: int32
             * @description Port of the peer; 0 where the protocol has none.
             */
            remote_port: number;
            /**
             * Format: int32
             * @description TCP flags seen in either direction, as in byte 13 of the header (RFC 9293, section 3.1).
             */
            tcp_flags: number;
            /** @description What moved. Wire bytes where frames are seen, TCP payload bytes under sock_diag. */
            traffic: components["schemas"]["PerDirection_Tally"];
        };
        /** @description A flow over a window. */
        FlowUsage: {
            /** @description Who, to whom, and how much. */
            flow: components["schemas"]["FlowRow"];
            /** @description Bits per second over the window. */
            rate_bps: components["schemas"]["PerDirection_f64"];
        };
        /** @description Flow rows of an interval that were lost on their way, while the rest of it arrived. */
        FlowsLost: {
            /** @description Why. */
            reason: components["schemas"]["DropReason"];
            /**
             * Format: int64
             * @description How many rows.
             */
            rows: number;
        };
        /** @description A span without data; never drawn as zero and never joined. */
        Gap: {
            /** @description Why. */
            reason: components["schemas"]["GapReason"];
            /** @description When. */
            window: components["schemas"]["Window"];
        };
        /**
         * @description Why a series has no points for a while.
         * @enum {string}
         */
        GapReason: "unknown" | "agent_off" | "asleep" | "clock" | "spool_full" | "damage" | "refused" | "not_yet";
        /**
         * @description How the collector is. A caller who has not shown a token that is needed gets `status`, `version`
         *     and `auth_required`, and null for the rest.
         */
        Health: {
            /** @description Whether a token is needed for everything else. */
            auth_required: boolean;
            counters: components["schemas"]["HealthCounters"] | null;
            /**
             * Format: int64
             * @description Size of the database.
             */
            database_bytes: number | null;
            /**
             * Format: int64
             * @description Hosts that have reported and are still stored.
             */
            hosts: number | null;
            /**
             * Format: int32
             * @description Version of the wire model that is read.
             */
            schema: number | null;
            /**
             * Format: int64
             * @description The collector's clock, in microseconds since the Unix epoch.
             */
            server_time_us: number | null;
            /**
             * @description `ok`.
             * @example ok
             */
            status: string;
            /** @description Version of the collector. */
            version: string;
        };
        /** @description What the collector counted since its start. */
        HealthCounters: {
            /**
             * Format: int64
             * @description Connections open now.
             */
            connections: number;
            /**
             * Format: int64
             * @description Deliveries that could not be read.
             */
            deliveries_malformed: number;
            /**
             * Format: int64
             * @description Deliveries turned away to come again, because the queue was full or the store had trouble.
             */
            deliveries_turned_away: number;
            /**
             * Format: int64
             * @description Deliveries without the credential of an agent that may report.
             */
            deliveries_unauthorised: number;
            /**
             * Format: int64
             * @description Event streams open now.
             */
            event_streams: number;
            /**
             * Format: int64
             * @description Reports of the last minute that memory let go early because its bound was reached.
             */
            live_reports_evicted: number;
            /**
             * Format: int64
             * @description Records that had come before.
             */
            records_duplicate: number;
            /**
             * Format: int64
             * @description Records of which nothing can be promised, because the queue was full or the store has trouble:
             *     they come again.
             */
            records_handed_back: number;
            /**
             * Format: int64
             * @description Records that the store was asked to take: stored, duplicate, refused, or handed back.
             */
            records_received: number;
            /**
             * Format: int64
             * @description Records refused for good.
             */
            records_refused: number;
            /**
             * Format: int64
             * @description Records stored.
             */
            records_stored: number;
            /**
             * Format: int64
             * @description Reports whose times were moved because the clock of their host is wrong.
             */
            reports_moved: number;
            /**
             * Format: int64
             * @description Fields that this version does not know and skipped.
             */
            unknown_fields: number;
        };
        /** @description A host in full: what its page shows. */
        HostDetail: {
            /** @description Flows on every interface, most bytes first, at most 200. */
            flows: components["schemas"]["FlowUsage"][];
            flows_lost: components["schemas"]["FlowsLost"] | null;
            /** @description The identity of bytes of each interface. */
            interfaces: components["schemas"]["InterfaceSum"][];
            /** @description Its last report, as it came, without the flows. */
            latest: components["schemas"]["Interval"];
            /** @description Peers on the uplinks, most bytes first, at most 100. */
            peers: components["schemas"]["PeerUsage"][];
            /**
             * @description Its pings of the last ten minutes, the newest of each target, by address. What another host says
             *     of this one is with that host: a failure in one direction stays visible.
             */
            probes: components["schemas"]["Probed"][];
            /** @description As on the dashboard. */
            summary: components["schemas"]["HostSummary"];
            /** @description What `peers`, `flows` and `interfaces` are summed over: the last minute of reports. */
            window: components["schemas"]["Window"];
        };
        /** @description What changes rarely about a host. */
        HostFacts: {
            /** @description Addresses of the uplink interfaces, link-local ones last. */
            addresses: string[];
            /** @description Version of the agent. */
            agent_version: string;
            /** @description Identifies this boot (`/proc/sys/kernel/random/boot_id`); empty where there is none. */
            boot_id: string;
            /** @description The name that the host gives itself. */
            hostname: string;
            /** @description Kernel release, as `uname -r` prints it. */
            kernel: string;
            /** @description Distribution and version, such as `Debian GNU/Linux 12`. */
            os: string;
        };
        /** @description Every host. */
        HostList: {
            /** @description By name, then id. */
            hosts: components["schemas"]["HostSummary"][];
            /**
             * Format: int64
             * @description The collector's clock.
             */
            server_time_us: number;
            /**
             * Format: int64
             * @description Seconds without a report after which a host counts as stale; at least three of its intervals.
             */
            stale_after_s: number;
        };
        /** @description Health of a host at the end of an interval, and its disk traffic within. */
        HostMetrics: {
            cpu: components["schemas"]["CpuUsage"] | null;
            /** @description Disk traffic within the interval. */
            disks: components["schemas"]["DiskInterval"][];
            /** @description Name, system and addresses. */
            facts: components["schemas"]["HostFacts"];
            load: components["schemas"]["LoadAverage"] | null;
            memory: components["schemas"]["MemoryUsage"] | null;
            /**
             * Format: float
             * @description Memory in use, 0 to 100, where only that is known and `memory` is absent.
             */
            memory_percent: number | null;
            /** @description File systems, one per mount point. */
            mounts: components["schemas"]["MountUsage"][];
            /**
             * Format: int64
             * @description Seconds since the host booted.
             */
            uptime_s: number;
        };
        /**
         * @description Whether a host reports.
         * @enum {string}
         */
        HostStatus: "up" | "stale";
        /** @description A host on the dashboard. */
        HostSummary: {
            /** @description Addresses of its uplinks. */
            addresses: string[];
            /** @description Version of its agent. */
            agent_version: string;
            /** @description How its flows are seen. */
            capture: components["schemas"]["CaptureStatus"];
            /**
             * Format: int64
             * @description Packets that capture lost in the last report.
             */
            capture_dropped: number;
            /**
             * Format: int64
             * @description How far its wall clock is ahead of the collector's, in microseconds, negative where it is
             *     behind; absent up to five seconds. The times of its reports are put right up to ten minutes
             *     ahead; what is further in the future is refused.
             */
            clock_wrong_by_us: number | null;
            cloned: components["schemas"]["Cloned"] | null;
            /**
             * Format: float
             * @description Processor use, 0 to 100.
             */
            cpu_percent: number | null;
            /**
             * Format: float
             * @description Fullest file system, 0 to 100.
             */
            disk_percent: number | null;
            /**
             * Format: int64
             * @description When a report of it first arrived, by the collector's clock.
             */
            first_seen_us: number;
            /** @description Identity of its agent, 32 hexadecimal digits. */
            id: string;
            /**
             * @description Whether its agent has shown a credential. Hosts whose agent is the original program have none:
             *     anybody whose address the collector lets in may have said what is shown of them.
             */
            is_authenticated: boolean;
            /**
             * Format: int64
             * @description When a report of it last arrived, by the collector's clock.
             */
            last_seen_us: number;
            /**
             * Format: float
             * @description Memory in use, 0 to 100.
             */
            memory_percent: number | null;
            /** @description Name that the host gives itself. */
            name: string;
            /** @description Distribution and version. */
            os: string;
            /**
             * @description Recent course for a sparkline, oldest first, at most 60 points, and fewer in a list of more than
             *     2,000 hosts.
             */
            recent: components["schemas"]["RecentPoint"][];
            /** @description Whether it reports. */
            status: components["schemas"]["HostStatus"];
            throughput_bps: components["schemas"]["PerDirection_f64"] | null;
            top_peer: components["schemas"]["PeerUsage"] | null;
            /**
             * Format: int64
             * @description Seconds since it booted, at its last report.
             */
            uptime_s: number;
            /** @description Window of its last report. */
            window: components["schemas"]["Window"];
        };
        /** @description What changes rarely about an interface. */
        InterfaceFacts: {
            /** @description Whether a default route leaves through it. */
            has_default_route: boolean;
            /** @description Number that the kernel gave it; reused after it is gone. */
            id: components["schemas"]["InterfaceId"];
            /**
             * @description Whether it counts towards the host's total: the interfaces with a default route, or, where
             *     there is none, those that no other interface is stacked on, loopback excepted.
             */
            is_uplink: boolean;
            /** @description Kind. */
            kind: components["schemas"]["InterfaceKind"];
            /** @description Current name. */
            name: string;
            /**
             * Format: int64
             * @description Link speed in bits per second; absent where the driver does not say.
             */
            speed_bps: number | null;
            /** @description Names of the interfaces that this one is stacked on (bridge ports, bond members, VLAN parent). */
            stacked_on: string[];
            /** @description Operational state. */
            state: components["schemas"]["OperState"];
        };
        /**
         * Format: int32
         * @description One interface, by the number that its source gives it: the `ifindex` on a live Linux host, the
         *     interface number in a capture file. Numbers are reused by kernels; names are attributes.
         */
        InterfaceId: number;
        /** @description One interface within one interval. */
        InterfaceInterval: {
            conservation: components["schemas"]["PerDirection_Conservation"] | null;
            /** @description What it is. */
            facts: components["schemas"]["InterfaceFacts"];
            kernel: components["schemas"]["PerDirection_KernelCounters"] | null;
            /** @description Why frames could not be parsed, both directions together, largest first. */
            malformed: components["schemas"]["UnparsedCount"][];
            /** @description What the non-IP frames were, both directions together, largest first. */
            non_ip: components["schemas"]["NonIpCount"][];
        };
        /**
         * @description What kind of network interface it is.
         * @enum {string}
         */
        InterfaceKind: "physical" | "wireless" | "loopback" | "bridge" | "bond" | "vlan" | "veth" | "tunnel" | "other";
        /** @description The identity of bytes of one interface, summed over a window. */
        InterfaceSum: {
            captured: components["schemas"]["PerDirection_Terms"] | null;
            /**
             * Format: int32
             * @description Intervals without a kernel reading (first after a start, or a counter reset).
             */
            intervals_without_kernel: number;
            /** @description Whether it counts towards the host's total. */
            is_uplink: boolean;
            /** @description Bytes and packets by the kernel's counters. */
            kernel: components["schemas"]["PerDirection_Tally"];
            /** @description Name. */
            name: string;
            residual_bytes: components["schemas"]["PerDirection_i64"] | null;
        };
        /** @description Everything about one host within one window. What an agent reports. */
        Interval: {
            /** @description How the flows were seen. */
            capture: components["schemas"]["CaptureStatus"];
            clocks: components["schemas"]["ClockReading"] | null;
            /** @description Flows, most bytes first. */
            flows: components["schemas"]["FlowRow"][];
            flows_lost: components["schemas"]["FlowsLost"] | null;
            host: components["schemas"]["HostMetrics"] | null;
            /** @description Every interface that exists, captured or not. */
            interfaces: components["schemas"]["InterfaceInterval"][];
            /** @description What the sources of frames lost within the window. */
            losses: components["schemas"]["CaptureLoss"][];
            /**
             * Format: int32
             * @description Further windows that were merged into this one because the next queue was full: resolution
             *     was lost, bytes were not.
             */
            merged_windows: number;
            /**
             * @description What belongs to flows without an interface (sock_diag) that are beyond the bound of the table
             *     or of the report. Flows with an interface count in its own overflow term.
             */
            overflow_without_interface: components["schemas"]["PerDirection_Tally"];
            /** @description Results of probes that ended within the window. */
            probes: components["schemas"]["ProbeResult"][];
            /** @description When, by the agent's clocks. */
            window: components["schemas"]["Window"];
        };
        /** @description What the collector says to an agent that it knows. */
        KnownAgent: {
            /** @description Its identity, 32 hexadecimal digits. */
            agent: string;
            /**
             * Format: int32
             * @description Version of the wire model that the collector reads.
             */
            schema: number;
            /**
             * Format: int64
             * @description The collector's clock, in microseconds since the Unix epoch.
             */
            server_time_us: number;
        };
        /** @description Runnable and uninterruptible tasks, averaged (proc(5), `/proc/loadavg`). */
        LoadAverage: {
            /**
             * Format: double
             * @description Over 15 minutes.
             */
            fifteen: number;
            /**
             * Format: double
             * @description Over 5 minutes.
             */
            five: number;
            /**
             * Format: double
             * @description Over 1 minute.
             */
            one: number;
        };
        /** @description Memory and swap, in bytes. */
        MemoryUsage: {
            /**
             * Format: int64
             * @description Memory that new work can have without swapping (`MemAvailable`).
             */
            available_bytes: number;
            /**
             * Format: int64
             * @description Swap space.
             */
            swap_total_bytes: number;
            /**
             * Format: int64
             * @description Swap in use.
             */
            swap_used_bytes: number;
            /**
             * Format: int64
             * @description Installed memory.
             */
            total_bytes: number;
            /**
             * Format: int64
             * @description Memory that is not available to new work: total less available.
             */
            used_bytes: number;
        };
        /**
         * @description What a series measures.
         * @enum {string}
         */
        Metric: "cpu_percent" | "memory_percent" | "ingress_bps" | "egress_bps" | "total_ingress_bps" | "total_egress_bps";
        /** @description One file system, keyed by its full mount path. */
        MountUsage: {
            /**
             * Format: int64
             * @description Space that an ordinary user can still fill; less than total less used where blocks are
             *     reserved for root.
             */
            available_bytes: number;
            /** @description What is mounted, such as `/dev/vda1`. */
            device: string;
            /** @description File system type, such as `ext4`. */
            filesystem: string;
            /** @description Full mount path. */
            path: string;
            /**
             * Format: int64
             * @description Size, blocks reserved for root included.
             */
            total_bytes: number;
            /**
             * Format: int64
             * @description Space in use.
             */
            used_bytes: number;
        };
        /** @description Frames of one EtherType that carry no IP. */
        NonIpCount: {
            /**
             * Format: int32
             * @description EtherType (IEEE 802), or the 802.3 length field where it is below 1536.
             */
            ethertype: number;
            /** @description How much. */
            tally: components["schemas"]["Tally"];
        };
        /**
         * @description Operational state (RFC 2863, section 3.1.14, as Linux shows it in `operstate`).
         * @enum {string}
         */
        OperState: "up" | "down" | "dormant" | "lower_layer_down" | "unknown";
        /** @description Another agent's host. */
        Peer: {
            /** @description Where it is pinged. */
            address: string;
            /** @description Which agent. */
            agent: string;
            /** @description Its host's name. */
            name: string;
        };
        /**
         * @description Other agents' hosts for the next round. Where there are more than [`MAX_PEERS`], they take turns from
         *     minute to minute, so that every pair is covered, in both directions.
         */
        PeerList: {
            /** @description At most [`MAX_PEERS`]. */
            peers: components["schemas"]["Peer"][];
        };
        /** @description Bytes exchanged with one peer over a window. */
        PeerUsage: {
            /** @description Its address. */
            address: string;
            /**
             * Format: int32
             * @description How many flows it was made of.
             */
            flows: number;
            /** @description The same in bits per second over the window. */
            rate_bps: components["schemas"]["PerDirection_f64"];
            /** @description What moved, seen from the host. */
            traffic: components["schemas"]["PerDirection_Tally"];
        };
        /** @description A value for each direction. */
        PerDirection_Conservation: {
            /**
             * @description The identity of bytes of one direction:
             *     `kernel = attributed + overflow + non_ip + malformed + residual`.
             */
            egress: {
                /**
                 * Format: int64
                 * @description Bytes of the kernel's counter that were not captured; negative by what the edges of an
                 *     interval shift. Absent where the counter has no earlier reading or was reset.
                 */
                residual_bytes?: number | null;
                /** @description Where the captured bytes went. */
                terms: components["schemas"]["Terms"];
            };
            /**
             * @description The identity of bytes of one direction:
             *     `kernel = attributed + overflow + non_ip + malformed + residual`.
             */
            ingress: {
                /**
                 * Format: int64
                 * @description Bytes of the kernel's counter that were not captured; negative by what the edges of an
                 *     interval shift. Absent where the counter has no earlier reading or was reset.
                 */
                residual_bytes?: number | null;
                /** @description Where the captured bytes went. */
                terms: components["schemas"]["Terms"];
            };
        };
        /** @description A value for each direction. */
        PerDirection_KernelCounters: {
            /** @description The kernel's 64-bit counters of one direction of an interface. */
            egress: {
                /**
                 * Format: int64
                 * @description Bytes.
                 */
                bytes: number;
                /**
                 * Format: int64
                 * @description Packets dropped.
                 */
                drops?: number;
                /**
                 * Format: int64
                 * @description Packets with errors.
                 */
                errors?: number;
                /**
                 * Format: int64
                 * @description Packets.
                 */
                packets: number;
            };
            /** @description The kernel's 64-bit counters of one direction of an interface. */
            ingress: {
                /**
                 * Format: int64
                 * @description Bytes.
                 */
                bytes: number;
                /**
                 * Format: int64
                 * @description Packets dropped.
                 */
                drops?: number;
                /**
                 * Format: int64
                 * @description Packets with errors.
                 */
                errors?: number;
                /**
                 * Format: int64
                 * @description Packets.
                 */
                packets: number;
            };
        };
        /** @description A value for each direction. */
        PerDirection_Tally: {
            /** @description Frames and their bytes on the wire. */
            egress: {
                /**
                 * Format: int64
                 * @description Bytes on the wire.
                 */
                bytes: number;
                /**
                 * Format: int64
                 * @description Frames as the network stack saw them: with segmentation offload one frame may carry many
                 *     segments.
                 */
                packets: number;
            };
            /** @description Frames and their bytes on the wire. */
            ingress: {
                /**
                 * Format: int64
                 * @description Bytes on the wire.
                 */
                bytes: number;
                /**
                 * Format: int64
                 * @description Frames as the network stack saw them: with segmentation offload one frame may carry many
                 *     segments.
                 */
                packets: number;
            };
        };
        /** @description A value for each direction. */
        PerDirection_Terms: {
            /** @description Where the captured bytes of one direction went. */
            egress: {
                /** @description Attributed to flow rows of the interval. */
                attributed: components["schemas"]["Tally"];
                /** @description Broken, cut or of a link layer that is not parsed. */
                malformed?: components["schemas"]["Tally"];
                /** @description Not IP: ARP, LLDP, spanning tree and so on. */
                non_ip?: components["schemas"]["Tally"];
                /** @description Belongs to flows beyond the bound of the table or of the report. */
                overflow?: components["schemas"]["Tally"];
            };
            /** @description Where the captured bytes of one direction went. */
            ingress: {
                /** @description Attributed to flow rows of the interval. */
                attributed: components["schemas"]["Tally"];
                /** @description Broken, cut or of a link layer that is not parsed. */
                malformed?: components["schemas"]["Tally"];
                /** @description Not IP: ARP, LLDP, spanning tree and so on. */
                non_ip?: components["schemas"]["Tally"];
                /** @description Belongs to flows beyond the bound of the table or of the report. */
                overflow?: components["schemas"]["Tally"];
            };
        };
        /** @description A value for each direction. */
        PerDirection_f64: {
            /** Format: double */
            egress: number;
            /** Format: double */
            ingress: number;
        };
        /** @description A value for each direction. */
        PerDirection_i64: {
            /** Format: int64 */
            egress: number;
            /** Format: int64 */
            ingress: number;
        };
        /**
         * @description What a probe was made of.
         * @enum {string}
         */
        ProbeKind: "icmp" | "tcp_connect" | "other";
        /** @description Result of probing one target. */
        ProbeResult: {
            /** @description How. */
            kind: components["schemas"]["ProbeKind"];
            /**
             * Format: int32
             * @description Probes without an answer.
             */
            lost: number;
            /**
             * Format: int32
             * @description Longest round trip in microseconds.
             */
            max_us: number | null;
            /**
             * Format: int32
             * @description Mean round trip in microseconds.
             */
            mean_us: number | null;
            /**
             * Format: int32
             * @description Round trip in microseconds: least, mean and most; absent if all were lost.
             */
            min_us: number | null;
            /**
             * Format: int32
             * @description Probes sent.
             */
            sent: number;
            /** @description Who was probed. */
            target: string;
        };
        /** @description How a target answered when it was pinged last. */
        Probed: {
            /**
             * Format: int64
             * @description End of the interval within which the round ended, by the host's clock.
             */
            at_us: number;
            /** @description What came of it. */
            result: components["schemas"]["ProbeResult"];
        };
        /** @description A problem detail (RFC 9457). */
        Problem: {
            /** @description What happened and what to do next. */
            detail: string;
            /**
             * @description Path of the field at fault, such as `records[0].body.report.flows[3].local`; absent where no
             *     single field is.
             */
            field: string | null;
            /**
             * Format: int32
             * @description HTTP status code.
             */
            status: number;
            /** @description The status in words. */
            title: string;
            /**
             * @description Kind of problem; `about:blank` where the status says it all.
             * @example about:blank
             */
            type: string;
        };
        /** @description A sink's answer to a batch that it took. */
        Receipt: {
            /**
             * Format: int32
             * @description Records that the receiver is ready to take at once; absent where it does not say.
             */
            credit: number | null;
            /** @description One per record, in the batch's order. */
            fates: components["schemas"]["Fate"][];
            /**
             * Format: int64
             * @description The receiver's clock.
             */
            server_time_us: number | null;
            /** @description What the receiver has of each stream that the batch touched; empty where it keeps no state. */
            streams: components["schemas"]["StreamState"][];
        };
        /** @description One point of a sparkline. */
        RecentPoint: {
            /**
             * Format: int64
             * @description End of the window.
             */
            at_us: number;
            /**
             * Format: float
             * @description Processor use, 0 to 100.
             */
            cpu_percent: number | null;
            /**
             * Format: float
             * @description Memory in use, 0 to 100.
             */
            memory_percent: number | null;
            /**
             * Format: double
             * @description Traffic of the uplinks, both directions together, in bits per second.
             */
            throughput_bps: number | null;
        };
        /** @description A numbered statement of an agent. */
        Record: {
            /** @description What is said. */
            body: components["schemas"]["RecordBody"];
            /**
             * @description The run of sequence numbers.
             * @example 6f1d0c3b5a2948e7b1c4d5e6f7a8b9c0
             */
            epoch: string;
            /**
             * Format: int64
             * @description Position within it, from 1, without holes.
             */
            seq: number;
        };
        /** @description What a record says. */
        RecordBody: {
            /** @description One interval of the host. */
            report: components["schemas"]["Interval"];
        } | {
            /** @description Records that will never come, and why. */
            dropped: components["schemas"]["Dropped"];
        } | {
            /** @description The first record of an epoch. */
            epoch_start: components["schemas"]["EpochStart"];
        };
        /** @description One metric over time. */
        Series: {
            /** @description Of which interface, where it is about one. */
            interface: string | null;
            /** @description What. */
            metric: components["schemas"]["Metric"];
            /** @description One per moment of the set; absent where nothing was measured. */
            values: (number | null)[];
        };
        /** @description Series that share their moments. */
        SeriesSet: {
            /** @description Ends of the windows, ascending. */
            at_us: number[];
            /** @description Where the host's clock was set. The moments above are by the collector's. */
            clock_steps: components["schemas"]["ClockStep"][];
            /** @description Where data is missing, and why. */
            gaps: components["schemas"]["Gap"][];
            /** @description What was asked for. */
            range: components["schemas"]["Window"];
            /** @description The series. */
            series: components["schemas"]["Series"][];
        };
        /** @description What opens a session. */
        SessionRequest: {
            /** @description The shared token. */
            token: string;
        };
        /** @description What a receiver has of one epoch of one agent. */
        StreamState: {
            /** @description Whose. */
            agent: string;
            /** @description Which run of sequence numbers. */
            epoch: string;
            /** @description Inclusive ranges after `through` that have not arrived although later ones have, oldest first. */
            missing: [
                number,
                number
            ][];
            /**
             * Format: int64
             * @description Every record up to and including this one has arrived.
             */
            through: number;
        };
        /** @description Frames and their bytes on the wire. */
        Tally: {
            /**
             * Format: int64
             * @description Bytes on the wire.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Frames as the network stack saw them: with segmentation offload one frame may carry many
             *     segments.
             */
            packets: number;
        };
        /** @description Where the captured bytes of one direction went. */
        Terms: {
            /** @description Attributed to flow rows of the interval. */
            attributed: components["schemas"]["Tally"];
            /** @description Broken, cut or of a link layer that is not parsed. */
            malformed: components["schemas"]["Tally"];
            /** @description Not IP: ARP, LLDP, spanning tree and so on. */
            non_ip: components["schemas"]["Tally"];
            /** @description Belongs to flows beyond the bound of the table or of the report. */
            overflow: components["schemas"]["Tally"];
        };
        /** @description Sums over a range. */
        TrafficSum: {
            /** @description Flows, most bytes first, at most the limit that was asked for. */
            flows: components["schemas"]["FlowUsage"][];
            /** @description What flows beyond the limit amount to. */
            flows_beyond_limit: components["schemas"]["PerDirection_Tally"];
            /** @description The identity of bytes of each interface. */
            interfaces: components["schemas"]["InterfaceSum"][];
            /**
             * Format: int64
             * @description Reports within the range.
             */
            reports: number;
            /** @description From the start of the first to the end of the last report within the range. */
            window: components["schemas"]["Window"];
        };
        /** @description Frames that could not be parsed, by layer and reason. */
        UnparsedCount: {
            /** @description The layer that failed, such as `ipv4`. */
            layer: string;
            /** @description Why, such as `truncated`. */
            reason: string;
            /** @description How much. */
            tally: components["schemas"]["Tally"];
        };
        /**
         * @description A half-open span of time: `start <= t < start + duration`.
         *
         *     `start` is wall-clock time; `duration` comes from a monotonic clock, so that a clock step never
         *     makes it negative or long.
         */
        Window: {
            /**
             * Format: int64
             * @description Length in microseconds.
             * @example 2000000
             */
            duration_us: number;
            /**
             * Format: int64
             * @description First moment, in microseconds since the Unix epoch.
             * @example 1795000000000000
             */
            start_us: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    agent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The agent that asks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnownAgent"];
                };
            };
            /** @description No agent has this credential */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The agent was revoked */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    peers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whom to ping now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeerList"];
                };
            };
            /** @description No agent has this credential */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The agent was revoked */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enrol: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnrolmentRequest"];
            };
        };
        responses: {
            /** @description The agent is enrolled */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enrolment"];
                };
            };
            /** @description The token is wrong, spent or expired; which of them is not told */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong tokens from this address */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Busy, or as many agents are known as are kept; try again after the seconds in `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                /** @description Host whose details are sent too, 32 hexadecimal digits. */
                host?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events until either side ends them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description No such host */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many streams are open */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It answers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    hosts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every host that has reported, also those that stopped */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostList"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    host: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Identity of the host's agent, 32 hexadecimal digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its last report, and who it talked to in the last minute */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostDetail"];
                };
            };
            /** @description No such host */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    series: {
        parameters: {
            query?: {
                /** @description Seconds back from now. */
                seconds?: number;
            };
            header?: never;
            path: {
                /** @description Identity of the host's agent, 32 hexadecimal digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Processor, memory and throughput, with explicit gaps */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesSet"];
                };
            };
            /** @description A parameter is out of range */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such host */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    traffic: {
        parameters: {
            query?: {
                /** @description First moment, in microseconds since the Unix epoch; an hour before `to_us` where absent. */
                from_us?: number;
                /** @description First moment after the range, in microseconds since the Unix epoch; now where absent. */
                to_us?: number;
                /** @description Most flows that are listed. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Identity of the host's agent, 32 hexadecimal digits */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Bytes of each interface and flow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrafficSum"];
                };
            };
            /** @description A parameter is out of range */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such host */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ingest: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description What the agent's clocks say when it sends, so that times are put right where its wall clock is wrong (docs/wire.md)
                 * @example at_us=1795000000000000, since_boot_us=86400000000, boot_id="0f9d3c1e-0000-4000-8000-000000000001"
                 */
                "bwmon-sent"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Document"];
                "application/vnd.bwmon.batch+protobuf; v=1": string;
            };
        };
        responses: {
            /** @description What became of each record; stored ones are durable */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                    "application/vnd.bwmon.batch+protobuf; v=1": string;
                };
            };
            /** @description The body cannot be read; `field` names the place */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No agent has this credential: it must enrol again, and holds its data */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The agent was revoked: it must enrol again, and holds its data */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too large, before or after decompression */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Another schema, content type or content encoding; an agent holds its data */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Busy; send again after the seconds in `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    document: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The OpenAPI document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    open: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionRequest"];
            };
        };
        responses: {
            /** @description The session is open, its cookie set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The token is wrong */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong tokens from this address */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is no session any more, and the cookie is cleared */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Why not */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
