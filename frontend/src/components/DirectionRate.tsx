import { bitRate } from "../lib/format";
import { ArrowDown, ArrowUp } from "./Icon";

interface DirectionRateProps {
  direction: "ingress" | "egress";
  bitsPerSecond: number | null | undefined;
  className?: string;
  unitClassName?: string;
}

/** A rate with its direction as arrow and colour: blue and down is received, orange and up is sent. */
export function DirectionRate({
  direction,
  bitsPerSecond,
  className = "",
  unitClassName = "",
}: DirectionRateProps) {
  const { value, unit } = bitRate(bitsPerSecond);
  const incoming = direction === "ingress";
  const Arrow = incoming ? ArrowDown : ArrowUp;
  return (
    <span className={`tabular inline-flex items-baseline gap-1 whitespace-nowrap ${className}`}>
      <Arrow
        aria-hidden="true"
        className={`size-[0.85em] shrink-0 self-center ${incoming ? "text-ingress" : "text-egress"}`}
      />
      <span className="sr-only">{incoming ? "in " : "out "}</span>
      <span>{value}</span>
      <span className={unitClassName}>{unit}</span>
    </span>
  );
}
