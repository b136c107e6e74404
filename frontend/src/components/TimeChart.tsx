import { useId, useState } from "react";
import { ABSENT, formatBitRate, formatPercent, plural } from "../lib/format";
import { buckets, type gapsWithin, type Point, type stepsWithin } from "../lib/gaps";
import { GAP_LABEL } from "../lib/names";
import { formatClock, formatDuration } from "../lib/time";
import { ChartCanvas } from "./ChartCanvas";

export type ChartUnit = "percent" | "bps";
export type ChartTone = "ingress" | "egress" | "cpu" | "memory";

export interface ChartLine {
  label: string;
  tone: ChartTone;
  points: Point[];
}

export interface TimeChartProps {
  title: string;
  unit: ChartUnit;
  lines: ChartLine[];
  gaps: ReturnType<typeof gapsWithin>;
  steps: ReturnType<typeof stepsWithin>;
  /** Edges of the time axis in milliseconds since the Unix epoch. */
  from: number;
  to: number;
  note?: string;
  /** A class that sets the height of the plot. */
  height?: string;
}

const TABLE_ROWS = 20;
const SWATCH: Record<ChartTone, string> = {
  ingress: "bg-ingress",
  egress: "bg-egress",
  cpu: "bg-cpu",
  memory: "bg-memory",
};

/** Lines over time, and the same as a table: for screen readers always, for everyone at the press of a button. */
export function TimeChart(props: TimeChartProps) {
  const { title, lines, unit, note, height = "h-52" } = props;
  const [tableShown, showTable] = useState(false);
  const headingId = useId();
  return (
    <figure
      aria-labelledby={headingId}
      className="min-w-0 rounded-xl border border-line bg-surface px-4 pt-3.5 pb-3 shadow-card sm:px-5"
    >
      <figcaption className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
        <div className="min-w-0">
          <h3 id={headingId} className="truncate font-semibold tracking-tight">
            {title}
          </h3>
          {note && <p className="text-sm text-muted">{note}</p>}
        </div>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
          {lines.map((line) => (
            <LegendEntry key={line.label} line={line} unit={unit} />
          ))}
          <button
            type="button"
            aria-pressed={tableShown}
            aria-label={`Table of ${title}`}
            onClick={() => showTable(!tableShown)}
            className="rounded-md border border-line px-2 py-0.5 text-xs text-muted hover:border-line-strong hover:text-ink aria-pressed:bg-accent-wash aria-pressed:text-accent"
          >
            Table
          </button>
        </div>
      </figcaption>
      {!tableShown && (
        <div className={`relative mt-2 ${height}`}>
          <ChartCanvas {...props} label={description(props)} />
        </div>
      )}
      <div className={tableShown ? `mt-2 overflow-y-auto ${height}` : "sr-only"}>
        <ChartTable {...props} />
      </div>
    </figure>
  );
}

/** A value of the chart as text. */
export function formatValue(unit: ChartUnit, value: number | null | undefined): string {
  return unit === "percent" ? formatPercent(value) : formatBitRate(value);
}

function LegendEntry({ line, unit }: { line: ChartLine; unit: ChartUnit }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span aria-hidden="true" className={`size-2.5 rounded-sm ${SWATCH[line.tone]}`} />
      <span className="text-muted">{line.label}</span>
      <span className="tabular font-medium">{formatValue(unit, newest(line.points))}</span>
    </span>
  );
}

function ChartTable({ title, unit, lines, from, to }: TimeChartProps) {
  const columns = lines.map((line) => ({
    label: line.label,
    rows: buckets(line.points, from, to, TABLE_ROWS),
  }));
  const times = columns[0]?.rows ?? [];
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">
        {title}, means and maxima of {formatDuration((to - from) / 1_000 / TABLE_ROWS)} each
      </caption>
      <thead className="text-xs text-muted">
        <tr>
          <th scope="col" className="py-1 text-left font-medium">
            From
          </th>
          {columns.map(({ label }) => (
            <th key={label} scope="col" className="py-1 pl-3 text-right font-medium">
              {label}, mean (max)
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {times.map((time, index) => (
          <tr key={time.from} className="border-t border-line/60">
            <th scope="row" className="py-1 text-left font-normal">
              {formatClock(time.from, true)}
            </th>
            {columns.map(({ label, rows }) => {
              const row = rows[index];
              return (
                <td key={label} className="py-1 pl-3 text-right whitespace-nowrap">
                  {row?.mean == null
                    ? "no data"
                    : `${formatValue(unit, row.mean)} (${formatValue(unit, row.max)})`}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function newest(points: readonly Point[]): number | null {
  return points.findLast((point) => point.y !== null)?.y ?? null;
}

function description({ title, unit, lines, gaps, steps, from, to }: TimeChartProps): string {
  const parts = lines.map((line) => {
    const values = line.points.flatMap((point) => point.y ?? []);
    if (values.length === 0) return `${line.label} ${ABSENT}`;
    const now = formatValue(unit, newest(line.points));
    return `${line.label} ${now}, at most ${formatValue(unit, Math.max(...values))}`;
  });
  const reasons = [...new Set(gaps.map((gap) => GAP_LABEL[gap.reason]))].join(", ");
  const missing = gaps.length > 0 ? `; ${plural(gaps.length, "gap")} (${reasons})` : "";
  const set = steps.map((step) => `; ${step.label} at ${formatClock(step.at, true)}`).join("");
  return `${title} over ${formatDuration((to - from) / 1_000)}: ${parts.join("; ")}${missing}${set}`;
}
