/** The only place that talks to the server. */

import type { Health, HostDetail, HostList, HostSummary, Problem, SeriesSet } from "../api/types";
import { parseVisible } from "./visible";

const BASE = "/api/v1";

/** An answer that is not a success, with what the server says about it (RFC 9457). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `The collector answered ${status}.`);
  }
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

export function readHealth(signal: AbortSignal): Promise<Health> {
  return read("/health", signal);
}

export function readHosts(signal: AbortSignal): Promise<HostList> {
  return read("/hosts", signal);
}

export function readHost(id: string, signal: AbortSignal): Promise<HostDetail> {
  return read(`/hosts/${encodeURIComponent(id)}`, signal);
}

export function readSeries(id: string, seconds: number, signal: AbortSignal): Promise<SeriesSet> {
  return read(`/hosts/${encodeURIComponent(id)}/series?seconds=${seconds}`, signal);
}

/** Exchanges the shared token for a session cookie. */
export async function signIn(token: string): Promise<void> {
  await request("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
}

export async function signOut(): Promise<void> {
  await request("/session", { method: "DELETE" });
}

export interface EventHandlers {
  open: () => void;
  host: (summary: HostSummary) => void;
  detail: (detail: HostDetail) => void;
  /** `gaveUp` when the browser will not try again by itself, as after an error status. */
  lost: (gaveUp: boolean) => void;
}

/** Opens the stream of events, with the details of one host if `host` names one; returns what closes it. */
export function openEvents(host: string | null, handlers: EventHandlers): () => void {
  const source = new EventSource(`${BASE}/events${host === null ? "" : `?host=${encodeURIComponent(host)}`}`);
  const deliver =
    <T>(handle: (value: T) => void) =>
    (event: MessageEvent<string>) => {
      let value: T;
      try {
        value = parseVisible<T>(event.data);
      } catch {
        source.close();
        handlers.lost(true);
        return;
      }
      handle(value);
    };
  source.addEventListener("open", handlers.open);
  source.addEventListener("host", deliver(handlers.host));
  source.addEventListener("detail", deliver(handlers.detail));
  source.addEventListener("error", () => handlers.lost(source.readyState === EventSource.CLOSED));
  return () => source.close();
}

async function read<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await request(path, { signal });
  return parseVisible<T>(await response.text());
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${BASE}${path}`, { credentials: "same-origin", ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Error("The collector cannot be reached. Is bwmon-collector running?", { cause });
  }
  if (!response.ok) throw new ApiError(response.status, await problemOf(response));
  return response;
}

async function problemOf(response: Response): Promise<Partial<Problem>> {
  try {
    return parseVisible<Partial<Problem>>(await response.text());
  } catch {
    return {};
  }
}
