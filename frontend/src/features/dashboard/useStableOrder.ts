import { useEffect, useRef, useState } from "react";
import type { HostSummary } from "../../api/types";
import { ordered, type SortKey } from "./selection";

/** How often cards may change places while their figures change. */
const REORDER_MS = 5_000;

/**
 * The hosts in the order that `sort` asks for. Cards move at once when the question or the set of hosts
 * changes, else every few seconds at most and never while `busy` says that someone points at them.
 */
export function useStableOrder(
  hosts: readonly HostSummary[],
  sort: SortKey,
  busy: () => boolean,
): HostSummary[] {
  const question = `${sort} ${hosts
    .map((host) => host.id)
    .sort()
    .join(" ")}`;
  const [placed, setPlaced] = useState({ question: "", order: [] as string[] });
  if (placed.question !== question) setPlaced({ question, order: ordered(hosts, sort) });

  const newest = useRef(hosts);
  useEffect(() => {
    newest.current = hosts;
  }, [hosts]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!busy()) setPlaced((before) => ({ ...before, order: ordered(newest.current, sort) }));
    }, REORDER_MS);
    return () => clearInterval(timer);
  }, [sort, busy]);

  const byId = new Map(hosts.map((host) => [host.id, host]));
  return placed.order.flatMap((id) => byId.get(id) ?? []);
}
