/** The collector's clock, as far as the page knows it, and a tick each second for what ages on screen. */

import { useSyncExternalStore } from "react";
import { milliseconds } from "./time";

let offsetMs = 0;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** Notes the collector's time, so that ages do not depend on the browser's clock. */
export function noteServerTime(serverTimeUs: number): void {
  offsetMs = milliseconds(serverTimeUs) - Date.now();
  tick();
}

/** The collector's time in milliseconds since the Unix epoch. */
export function serverNow(): number {
  return Date.now() + offsetMs;
}

/** The collector's time, renewed each second. */
export function useServerNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

function tick(): void {
  now = serverNow();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = serverNow();
    timer = setInterval(tick, 1_000);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}
