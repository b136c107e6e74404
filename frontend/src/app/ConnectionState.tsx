import { useServerNow } from "../lib/clock";
import type { LivePhase } from "../lib/live";
import { useConnection } from "../lib/queries";
import { formatAge } from "../lib/time";

const LABEL: Record<LivePhase, string> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  offline: "Offline",
};

const DOT: Record<LivePhase, string> = {
  connecting: "bg-muted",
  live: "bg-good",
  reconnecting: "bg-warn animate-pulse",
  offline: "bg-bad",
};

/** Whether what is on screen is current. Changes of the state are announced, the age is not. */
export function ConnectionState() {
  const { phase, lastEventAt } = useConnection();
  return (
    <div className="flex items-center gap-2 rounded-full border border-line px-2.5 py-1 text-xs">
      <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${DOT[phase]}`} />
      <span role="status" className="font-medium">
        {LABEL[phase]}
      </span>
      {lastEventAt !== null && (
        <span className={`text-muted ${phase === "live" ? "hidden sm:inline" : ""}`}>
          <span className="hidden sm:inline">updated </span>
          <Age atMs={lastEventAt} />
        </span>
      )}
    </div>
  );
}

function Age({ atMs }: { atMs: number }) {
  // Renders once a second; the moment itself is of the browser's clock.
  useServerNow();
  return <span className="tabular">{formatAge((Date.now() - atMs) / 1_000)}</span>;
}
