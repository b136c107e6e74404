/** The one stream of events that keeps the query cache current. */

import { useSyncExternalStore } from "react";
import type { HostDetail, HostSummary } from "../api/types";
import type { EventHandlers } from "./api-client";

export type LivePhase = "connecting" | "live" | "reconnecting" | "offline";

export interface LiveState {
  phase: LivePhase;
  /** When an event last arrived, in milliseconds of the browser's clock. */
  lastEventAt: number | null;
}

export interface LiveSink {
  /** Newest state of each host and of the watched one, at most one call per flush interval. */
  apply: (hosts: HostSummary[], detail: HostDetail | null) => void;
  /** The stream is there again: what was missed must be read. */
  resumed: () => void;
  /** The stream was refused; reading anything tells why. */
  refused: () => void;
}

type Opener = (host: string | null, handlers: EventHandlers) => () => void;

/** Many hosts report at once: their events are applied together. */
const FLUSH_MS = 250;
/** The server sends a host's event at each of its reports; silence this long is worth a new connection. */
const SILENCE_MS = 45_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 15_000;
/** Failing for this long is called offline. */
const OFFLINE_AFTER_MS = 10_000;

export class LiveStream {
  private state: LiveState = { phase: "connecting", lastEventAt: null };
  private readonly listeners = new Set<() => void>();
  private readonly hosts = new Map<string, HostSummary>();
  private detail: HostDetail | null = null;
  private close: (() => void) | undefined;
  private host: string | null = null;
  private lostAt: number | null = null;
  private retryMs = RETRY_FIRST_MS;
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private offlineTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly open: Opener,
    private readonly sink: LiveSink,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): LiveState => this.state;

  /** Watches the hosts, and the details of `host` if there is one. */
  start(host: string | null): void {
    this.stop();
    this.host = host;
    this.connect();
  }

  stop(): void {
    this.close?.();
    this.close = undefined;
    for (const timer of [this.flushTimer, this.retryTimer, this.silenceTimer, this.offlineTimer]) {
      clearTimeout(timer);
    }
    this.flushTimer = undefined;
    this.offlineTimer = undefined;
    this.hosts.clear();
    this.detail = null;
  }

  private connect(): void {
    this.close?.();
    this.awaitEvents();
    this.close = this.open(this.host, {
      open: () => this.opened(),
      host: (summary) => {
        this.hosts.set(summary.id, summary);
        this.arrived();
      },
      detail: (detail) => {
        this.detail = detail;
        this.arrived();
      },
      lost: (gaveUp) => this.lost(gaveUp),
    });
  }

  private opened(): void {
    const wasLost = this.lostAt !== null;
    clearTimeout(this.offlineTimer);
    this.offlineTimer = undefined;
    this.lostAt = null;
    this.retryMs = RETRY_FIRST_MS;
    this.set({ phase: "live" });
    if (wasLost) this.sink.resumed();
  }

  private arrived(): void {
    this.awaitEvents();
    this.flushTimer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  private flush(): void {
    this.flushTimer = undefined;
    const hosts = [...this.hosts.values()];
    const detail = this.detail;
    this.hosts.clear();
    this.detail = null;
    this.sink.apply(hosts, detail);
    this.set({ lastEventAt: Date.now() });
  }

  private lost(gaveUp: boolean): void {
    this.lostAt ??= Date.now();
    if (this.state.phase !== "offline") this.set({ phase: "reconnecting" });
    this.offlineTimer ??= setTimeout(() => this.set({ phase: "offline" }), OFFLINE_AFTER_MS);
    if (!gaveUp) return;
    this.sink.refused();
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), this.retryMs);
    this.retryMs = Math.min(RETRY_LAST_MS, this.retryMs * 2);
  }

  private awaitEvents(): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      this.lostAt ??= Date.now();
      this.connect();
    }, SILENCE_MS);
  }

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

export function useLiveState(stream: LiveStream): LiveState {
  return useSyncExternalStore(stream.subscribe, stream.snapshot);
}
