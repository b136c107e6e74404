import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useDeferredValue, useRef } from "react";
import type { HostSummary } from "../../api/types";
import { Blank, Failure, Skeleton } from "../../components/states";
import { isStatus } from "../../lib/api-client";
import { plural } from "../../lib/format";
import { useHosts } from "../../lib/queries";
import { useTitle } from "../../lib/title";
import { HostCard } from "./HostCard";
import { NoHostsYet } from "./NoHostsYet";
import { SummaryStrip } from "./SummaryStrip";
import { DEFAULT_SORT, isSortKey, matching, SORT_LABEL } from "./selection";
import { Toolbar } from "./Toolbar";
import { useStableOrder } from "./useStableOrder";

const route = getRouteApi("/");
const GRID = "grid grid-cols-[repeat(auto-fill,minmax(min(100%,19.5rem),1fr))] items-start gap-4";

export function DashboardPage() {
  useTitle("Hosts");
  const { data, error, refetch } = useHosts();
  return (
    <div className="space-y-5">
      <h1 className="text-2xl font-semibold tracking-tight">Hosts</h1>
      {error && !isStatus(error, 401) && (
        <Failure
          title={
            data
              ? "The hosts could not be read again; what is shown may be old"
              : "The hosts could not be read"
          }
          error={error}
          retry={() => void refetch()}
        />
      )}
      {data === undefined && !error && <Loading />}
      {data?.hosts.length === 0 && <NoHostsYet />}
      {data !== undefined && data.hosts.length > 0 && <Hosts hosts={data.hosts} />}
    </div>
  );
}

function Hosts({ hosts: newest }: { hosts: HostSummary[] }) {
  // Hundreds of cards that change at once must not hold up a key press.
  const hosts = useDeferredValue(newest);
  const { q = "", sort = DEFAULT_SORT } = route.useSearch();
  const navigate = route.useNavigate();
  const shown = matching(hosts, q);
  return (
    <>
      <SummaryStrip hosts={hosts} />
      <Toolbar
        query={q}
        sort={sort}
        onQuery={(text) =>
          void navigate({ search: (old) => ({ ...old, q: text === "" ? undefined : text }), replace: true })
        }
        onSort={(key) =>
          void navigate({
            search: (old) => ({ ...old, sort: isSortKey(key) && key !== DEFAULT_SORT ? key : undefined }),
            replace: true,
          })
        }
      />
      <p className="sr-only" role="status">
        {q !== "" && `${plural(shown.length, "host")} found`}
      </p>
      {shown.length === 0 ? (
        <Blank title="No host matches">
          <p>
            No name or address contains “{q}”. {plural(hosts.length, "host")} in all, sorted by{" "}
            {SORT_LABEL[sort].toLowerCase()}.
          </p>
        </Blank>
      ) : (
        <Grid hosts={shown} sort={sort} />
      )}
    </>
  );
}

function Grid({ hosts, sort }: { hosts: HostSummary[]; sort: keyof typeof SORT_LABEL }) {
  const list = useRef<HTMLUListElement>(null);
  const busy = useCallback(() => list.current?.matches(":hover, :focus-within") ?? false, []);
  const inOrder = useStableOrder(hosts, sort, busy);
  return (
    <ul ref={list} aria-label="Hosts" className={GRID}>
      {inOrder.map((host) => (
        <HostCard key={host.id} host={host} />
      ))}
    </ul>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the hosts" className="space-y-5">
      <Skeleton className="h-20" />
      <div className={GRID}>
        {["a", "b", "c", "d", "e", "f"].map((key) => (
          <Skeleton key={key} className="h-80 rounded-xl" />
        ))}
      </div>
    </div>
  );
}
