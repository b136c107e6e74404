import type { HostSummary } from "../api/types";
import { clockOff } from "../lib/time";
import { Clock3 } from "./Icon";

/** Says that the host's clock is wrong; nothing where it is not. */
export function ClockBadge({ host }: { host: Pick<HostSummary, "clock_wrong_by_us"> }) {
  if (host.clock_wrong_by_us == null) return null;
  return (
    <p className="flex items-start gap-1.5 rounded-lg bg-warn-wash px-2 py-1 text-xs font-medium text-warn">
      <Clock3 aria-hidden="true" className="mt-px size-3.5 shrink-0" />
      <span>Clock {clockOff(host.clock_wrong_by_us)}</span>
    </p>
  );
}
