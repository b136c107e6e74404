import type { HostSummary } from "../api/types";
import { TriangleAlert } from "./Icon";
import { RelativeTime } from "./RelativeTime";

/** Whether a host reports, and since when it does not. */
export function StatusBadge({ host }: { host: Pick<HostSummary, "status" | "last_seen_us"> }) {
  if (host.status === "up") {
    return (
      <span className="inline-flex items-center gap-1.5 whitespace-nowrap text-xs text-muted">
        <span aria-hidden="true" className="size-2 rounded-full bg-good" />
        <span className="font-medium text-good">Up</span>
        <RelativeTime atUs={host.last_seen_us} />
      </span>
    );
  }
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap rounded-full bg-warn-wash px-2 py-0.5 text-xs font-medium text-warn">
      <TriangleAlert aria-hidden="true" className="size-3.5" />
      <span>
        Stale, last seen <RelativeTime atUs={host.last_seen_us} />
      </span>
    </span>
  );
}
