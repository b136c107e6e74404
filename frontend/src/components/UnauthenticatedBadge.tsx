import type { HostSummary } from "../api/types";
import { TriangleAlert } from "./Icon";

/** Says that nobody vouches for what is shown of this host; nothing where its agent has a credential. */
export function UnauthenticatedBadge({ host }: { host: Pick<HostSummary, "is_authenticated"> }) {
  if (host.is_authenticated) return null;
  return (
    <p className="flex items-start gap-1.5 rounded-lg bg-warn-wash px-2 py-1 text-xs font-medium text-warn">
      <TriangleAlert aria-hidden="true" className="mt-px size-3.5 shrink-0" />
      <span>Unauthenticated: its agent shows no credential</span>
    </p>
  );
}
