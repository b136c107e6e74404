import { useServerNow } from "../lib/clock";
import { formatAge, formatMoment, milliseconds } from "../lib/time";

/** How long ago a moment was, ticking. */
export function RelativeTime({ atUs, className = "" }: { atUs: number; className?: string }) {
  const at = milliseconds(atUs);
  const age = (useServerNow() - at) / 1_000;
  return (
    <time dateTime={new Date(at).toISOString()} title={formatMoment(at)} className={`tabular ${className}`}>
      {formatAge(age)}
    </time>
  );
}
