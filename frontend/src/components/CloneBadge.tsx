import type { HostSummary } from "../api/types";
import { TriangleAlert } from "./Icon";

/** Says that two machines report as this host; nothing where only one does. */
export function CloneBadge({ host }: { host: Pick<HostSummary, "cloned"> }) {
  if (!host.cloned) return null;
  return (
    <p className="flex items-start gap-1.5 rounded-lg bg-warn-wash px-2 py-1 text-xs font-medium text-warn">
      <TriangleAlert aria-hidden="true" className="mt-px size-3.5 shrink-0" />
      <span>Cloned agent: enrol one of them again</span>
    </p>
  );
}
