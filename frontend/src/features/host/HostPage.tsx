import { getRouteApi, Link } from "@tanstack/react-router";
import type { HostDetail } from "../../api/types";
import { ChevronRight } from "../../components/Icon";
import { Blank, Failure, Skeleton } from "../../components/states";
import { isStatus } from "../../lib/api-client";
import { DEFAULT_RANGE } from "../../lib/host-search";
import { useHost } from "../../lib/queries";
import { useTitle } from "../../lib/title";
import { AccountingPanel } from "./AccountingPanel";
import { FlowsPanel } from "./FlowsPanel";
import { HostCharts } from "./HostCharts";
import { HostHeader } from "./HostHeader";
import { InterfacesPanel } from "./InterfacesPanel";
import { KeyFigures } from "./KeyFigures";
import { PeersPanel } from "./PeersPanel";
import { PingsPanel } from "./PingsPanel";
import { SectionBar } from "./SectionBar";
import { SystemPanel } from "./SystemPanel";

const route = getRouteApi("/hosts/$id");

export function HostPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useHost(id);
  useTitle(data?.summary.name ?? "Host");
  if (isStatus(error, 404)) return <UnknownHost id={id} />;
  return (
    <div className="space-y-5">
      <Trail name={data?.summary.name ?? "…"} />
      {error && !isStatus(error, 401) && (
        <Failure
          title={
            data ? "The host could not be read again; what is shown may be old" : "The host could not be read"
          }
          error={error}
          retry={() => void refetch()}
        />
      )}
      {data === undefined && !error && <Loading />}
      {data !== undefined && <Sections key={id} detail={data} />}
    </div>
  );
}

function Sections({ detail }: { detail: HostDetail }) {
  const { range = DEFAULT_RANGE, flow = "" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <HostHeader detail={detail} />
      <KeyFigures detail={detail} />
      <SectionBar
        range={range}
        onRange={(next) =>
          void navigate({
            search: (old) => ({ ...old, range: next === DEFAULT_RANGE ? undefined : next }),
            replace: true,
            resetScroll: false,
          })
        }
      />
      <HostCharts detail={detail} range={range} />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
        <PeersPanel detail={detail} />
        <FlowsPanel
          detail={detail}
          filter={flow}
          onFilter={(text) =>
            void navigate({
              search: (old) => ({ ...old, flow: text === "" ? undefined : text }),
              replace: true,
              resetScroll: false,
            })
          }
        />
      </div>
      <PingsPanel detail={detail} />
      <AccountingPanel detail={detail} />
      <InterfacesPanel detail={detail} />
      <SystemPanel detail={detail} />
    </>
  );
}

function Trail({ name }: { name: string }) {
  return (
    <nav aria-label="Breadcrumb" className="mb-2 text-sm">
      <ol className="flex items-center gap-1.5 text-muted">
        <li>
          <Link to="/" className="rounded hover:text-ink hover:underline">
            Hosts
          </Link>
        </li>
        <li aria-hidden="true">
          <ChevronRight className="size-3.5" />
        </li>
        <li aria-current="page" className="truncate text-ink">
          {name}
        </li>
      </ol>
    </nav>
  );
}

function UnknownHost({ id }: { id: string }) {
  return (
    <div className="py-10">
      <h1 className="sr-only">Unknown host</h1>
      <Blank title="The collector knows no such host">
        <p className="font-mono text-sm break-all">{id}</p>
        <p>It may have been removed, or its reports may be older than the collector keeps.</p>
        <p>
          <Link to="/" className="font-medium text-accent underline underline-offset-4">
            Go to the hosts
          </Link>
        </p>
      </Blank>
    </div>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the host" className="space-y-5">
      <h1 className="sr-only">Host</h1>
      <Skeleton className="h-24" />
      <Skeleton className="h-20" />
      <div className="grid gap-5 lg:grid-cols-2">
        <Skeleton className="h-64 rounded-xl lg:col-span-2" />
        <Skeleton className="h-64 rounded-xl" />
        <Skeleton className="h-64 rounded-xl" />
      </div>
    </div>
  );
}
