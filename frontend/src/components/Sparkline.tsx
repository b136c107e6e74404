import { memo } from "react";
import { type Point, runs } from "../lib/gaps";

interface SparklineProps {
  points: readonly Point[];
  /** Top of the scale; the largest value where absent. */
  max?: number;
  /** A class that sets the text colour. */
  tone: string;
  className?: string;
}

const WIDTH = 120;
const HEIGHT = 28;

/** The recent course of one value, for the eye only: the figure stands beside it. A hole in the data is a hole in the line. */
export const Sparkline = memo(function Sparkline({ points, max, tone, className = "" }: SparklineProps) {
  const lines = runs(points);
  const first = points[0]?.x ?? 0;
  const span = Math.max(1, (points.at(-1)?.x ?? first) - first);
  const top = max ?? Math.max(1, ...points.map((point) => point.y ?? 0));
  const place = (point: Point) => {
    const x = ((point.x - first) / span) * WIDTH;
    const y = HEIGHT - 1 - (Math.min(point.y ?? 0, top) / top) * (HEIGHT - 3);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const left = (run: Point[]) => (run[0] ? place(run[0]).split(",")[0] : "0");
  const right = (run: Point[]) => place(run.at(-1) ?? { x: first, y: 0 }).split(",")[0];
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
      className={`h-7 w-full ${tone} ${className}`}
    >
      {lines.map((run) => (
        <g key={run[0]?.x}>
          <polygon
            points={`${left(run)},${HEIGHT} ${run.map(place).join(" ")} ${right(run)},${HEIGHT}`}
            fill="currentColor"
            opacity="0.12"
          />
          <polyline
            points={
              run.length === 1
                ? `${run.map(place).join(" ")} ${run.map(place).join(" ")}`
                : run.map(place).join(" ")
            }
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
            strokeLinejoin="round"
            strokeLinecap="round"
            vectorEffect="non-scaling-stroke"
          />
        </g>
      ))}
    </svg>
  );
});
