interface MeterProps {
  percent: number | null | undefined;
  label: string;
  /** A class that sets the background colour; by default the level decides. */
  tone?: string;
  className?: string;
}

/** A bar from 0 to 100 percent. */
export function Meter({ percent, label, tone, className = "" }: MeterProps) {
  const value = Math.min(100, Math.max(0, percent ?? 0));
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers do not let the colour of <meter> be set.
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value)}
      aria-valuetext={percent == null ? "not measured" : `${value.toFixed(1)} percent`}
      className={`h-1.5 overflow-hidden rounded-full bg-sunken ${className}`}
    >
      <div className={`h-full rounded-full ${tone ?? levelTone(value)}`} style={{ width: `${value}%` }} />
    </div>
  );
}

/** Calm until something deserves a look: amber from 80, red from 95 percent. */
export function levelTone(percent: number): string {
  if (percent >= 95) return "bg-bad";
  return percent >= 80 ? "bg-warn" : "bg-accent";
}
