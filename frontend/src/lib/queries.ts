/** Server state: what is read, how long it is good for, and how events change it. */

import { keepPreviousData, QueryCache, QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { HostDetail, HostList, HostSummary, SeriesSet } from "../api/types";
import {
  isStatus,
  openEvents,
  readHealth,
  readHost,
  readHosts,
  readSeries,
  signIn,
  signOut,
} from "./api-client";
import { noteServerTime } from "./clock";
import { LiveStream, useLiveState } from "./live";
import { extended } from "./series";

/** While the stream is down, everything on screen is read again this often. */
const FALLBACK_MS = 5_000;
/** Series are extended from events; now and then they are read in full, which mends what arrived late. */
const SERIES_RENEWAL_MS = 60_000;

const keys = {
  health: ["health"] as const,
  hosts: ["hosts"] as const,
  host: (id: string) => ["host", id] as const,
  seriesOf: (id: string) => ["series", id] as const,
  series: (id: string, seconds: number) => ["series", id, seconds] as const,
};

let tokenNeeded = false;
const tokenListeners = new Set<() => void>();

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (isStatus(error, 401)) needToken(true);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 1 && !isStatus(error, 401) && !isStatus(error, 404),
      retryDelay: 1_000,
    },
  },
});

const stream = new LiveStream(openEvents, {
  apply: (hosts, detail) => {
    if (hosts.length > 0) applyHosts(hosts);
    if (detail !== null) applyDetail(detail);
  },
  resumed: () => void queryClient.invalidateQueries(),
  refused: () => void queryClient.invalidateQueries({ queryKey: keys.hosts }),
});

export function useHealth() {
  return useQuery({ queryKey: keys.health, queryFn: ({ signal }) => readHealth(signal) });
}

export function useHosts() {
  return useQuery({
    queryKey: keys.hosts,
    queryFn: async ({ signal }) => {
      const list = await readHosts(signal);
      noteServerTime(list.server_time_us);
      return list;
    },
    refetchInterval: useFallbackInterval(),
  });
}

export function useHost(id: string) {
  return useQuery({
    queryKey: keys.host(id),
    queryFn: ({ signal }) => readHost(id, signal),
    refetchInterval: useFallbackInterval(),
  });
}

export function useSeries(id: string, seconds: number) {
  const fallback = useFallbackInterval();
  return useQuery({
    queryKey: keys.series(id, seconds),
    queryFn: ({ signal }) => readSeries(id, seconds, signal),
    // A range without points may only now begin to fill.
    refetchInterval: fallback === false ? SERIES_RENEWAL_MS : fallback,
    placeholderData: (previous, query) =>
      query?.queryKey[1] === id ? keepPreviousData(previous) : undefined,
  });
}

/** Follows the events of all hosts, and the details of one, while the caller is mounted. */
export function useLiveUpdates(host: string | null): void {
  const paused = useTokenNeeded();
  useEffect(() => {
    if (paused) return;
    stream.start(host);
    return () => stream.stop();
  }, [host, paused]);
}

export function useConnection() {
  return useLiveState(stream);
}

/** Whether the API refuses to answer without the token. */
export function useTokenNeeded(): boolean {
  return useSyncExternalStore(subscribeToken, () => tokenNeeded);
}

export function useSession() {
  const client = useQueryClient();
  return {
    signIn: async (token: string) => {
      await signIn(token);
      needToken(false);
      await client.resetQueries();
    },
    signOut: async () => {
      await signOut();
      client.clear();
      needToken(true);
    },
  };
}

function useFallbackInterval(): number | false {
  return useConnection().phase === "live" ? false : FALLBACK_MS;
}

function applyHosts(changed: HostSummary[]): void {
  queryClient.setQueryData<HostList>(keys.hosts, (list) => {
    if (list === undefined) return undefined;
    const news = new Map(changed.map((host) => [host.id, host]));
    const hosts = list.hosts.map((host) => {
      const replacement = news.get(host.id);
      news.delete(host.id);
      return replacement ?? host;
    });
    return { ...list, hosts: [...hosts, ...news.values()] };
  });
  for (const summary of changed) {
    queryClient.setQueryData<HostDetail>(keys.host(summary.id), (detail) => detail && { ...detail, summary });
  }
}

function applyDetail(detail: HostDetail): void {
  const { id } = detail.summary;
  queryClient.setQueryData<HostDetail>(keys.host(id), detail);
  queryClient.setQueriesData<SeriesSet>(
    { queryKey: keys.seriesOf(id) },
    (set) => set && extended(set, detail),
  );
}

function needToken(needed: boolean): void {
  if (tokenNeeded === needed) return;
  tokenNeeded = needed;
  for (const listener of tokenListeners) listener();
}

function subscribeToken(listener: () => void): () => void {
  tokenListeners.add(listener);
  return () => tokenListeners.delete(listener);
}
