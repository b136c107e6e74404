import {
  Chart,
  type ChartOptions,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  type Scale,
  Tooltip,
} from "chart.js";
import { useEffect, useRef, useState } from "react";
import { formatRoundBitRate } from "../lib/format";
import { standsAlone } from "../lib/gaps";
import { GAP_LABEL } from "../lib/names";
import { type Theme, useTheme } from "../lib/theme";
import { timeTicks, valueTicks } from "../lib/ticks";
import { formatClock } from "../lib/time";
import { type ChartUnit, formatValue, type TimeChartProps } from "./TimeChart";

Chart.register(Filler, LinearScale, LineController, LineElement, PointElement, Tooltip);

type LineChart = Chart<"line", TimeChartProps["lines"][number]["points"]>;
type LineOptions = ChartOptions<"line">;
type Palette = (token: string) => string;

interface Shade {
  gaps: TimeChartProps["gaps"];
  steps: TimeChartProps["steps"];
  colour: string;
}

const PERCENT_TICKS = [0, 25, 50, 75, 100];
/** Top of the scale of an idle interface: its noise must not look like traffic. */
const LEAST_BPS = 1_000;
const PIXELS_PER_TIME_TICK = 66;

/** The only place that knows the chart library. */
export function ChartCanvas(props: TimeChartProps & { label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<LineChart | null>(null);
  const shade = useRef<Shade>({ gaps: [], steps: [], colour: "" });
  const theme = useTheme();
  const near = useNear(canvas);

  useEffect(() => {
    if (canvas.current === null) return;
    const created: LineChart = new Chart(canvas.current, {
      type: "line",
      data: { datasets: [] },
      plugins: [crosshair, gapShade(shade)],
    });
    chart.current = created;
    return () => {
      chart.current = null;
      created.destroy();
    };
  }, []);

  useEffect(() => {
    if (!near) return;
    const colour = palette();
    shade.current = { gaps: props.gaps, steps: props.steps, colour: colour("muted") };
    if (chart.current !== null) update(chart.current, props, theme, colour);
  }, [props, theme, near]);

  return <canvas ref={canvas} role="img" aria-label={props.label} />;
}

/** Whether the element is on screen or about to be: what nobody sees need not be drawn at each report. */
function useNear(element: { readonly current: Element | null }): boolean {
  const [near, setNear] = useState(true);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => setNear(entries.some((entry) => entry.isIntersecting)),
      { rootMargin: "50%" },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return near;
}

function update(chart: LineChart, props: TimeChartProps, theme: Theme, colour: Palette): void {
  chart.data.datasets = props.lines.map((line) => ({
    label: line.label,
    data: line.points,
    borderColor: colour(line.tone),
    backgroundColor: `color-mix(in srgb, ${colour(line.tone)} ${theme === "dark" ? 16 : 11}%, transparent)`,
    fill: "origin",
    borderWidth: 1.75,
    borderJoinStyle: "round",
    spanGaps: false,
    pointRadius: line.points.map((_, index) => (standsAlone(line.points, index) ? 2 : 0)),
    pointHoverRadius: 3.5,
    pointBackgroundColor: colour(line.tone),
    pointHitRadius: 0,
  }));
  chart.options = options(props, colour);
  chart.update("none");
}

function options({ unit, lines, from, to }: TimeChartProps, colour: Palette): LineOptions {
  const largest = lines.flatMap((line) => line.points.map((point) => point.y ?? 0));
  const ticks = unit === "percent" ? PERCENT_TICKS : valueTicks(Math.max(LEAST_BPS, ...largest), 5);
  const font = { family: getComputedStyle(document.body).fontFamily, size: 11 };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    parsing: false,
    layout: { padding: { right: 14 } },
    normalized: true,
    interaction: { mode: "index", axis: "x", intersect: false },
    scales: {
      x: {
        type: "linear",
        min: from,
        max: to,
        grid: { color: colour("line"), drawTicks: false },
        border: { color: colour("line") },
        afterBuildTicks: placeTimeTicks,
        ticks: {
          color: colour("muted"),
          font,
          maxRotation: 0,
          autoSkip: false,
          padding: 6,
          callback: timeLabel,
        },
      },
      y: {
        type: "linear",
        min: 0,
        max: ticks.at(-1) ?? 1,
        grid: { color: colour("line"), drawTicks: false },
        border: { display: false },
        afterBuildTicks: (scale: Scale) => {
          scale.ticks = ticks.map((value) => ({ value }));
        },
        ticks: {
          color: colour("muted"),
          font,
          padding: 8,
          callback: (value) => axisLabel(unit, Number(value)),
        },
      },
    },
    plugins: { tooltip: tooltip(unit, colour, font) },
  };
}

function tooltip(
  unit: ChartUnit,
  colour: Palette,
  font: { family: string; size: number },
): NonNullable<LineOptions["plugins"]>["tooltip"] {
  return {
    backgroundColor: colour("surface"),
    borderColor: colour("line-strong"),
    borderWidth: 1,
    titleColor: colour("muted"),
    bodyColor: colour("ink"),
    titleFont: { ...font, weight: "normal" },
    bodyFont: { ...font, size: 12, weight: 500 },
    padding: 10,
    boxPadding: 5,
    usePointStyle: true,
    pointStyle: "rectRounded",
    callbacks: {
      title: ([item]) => (item ? formatClock(Number(item.parsed.x), true) : ""),
      label: (item) => `${item.dataset.label ?? ""} ${formatValue(unit, item.parsed.y)}`,
    },
  } as NonNullable<LineOptions["plugins"]>["tooltip"];
}

function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return (token) => style.getPropertyValue(`--${token}`).trim();
}

function placeTimeTicks(scale: Scale): void {
  const most = Math.max(2, Math.floor(scale.width / PIXELS_PER_TIME_TICK));
  scale.ticks = timeTicks(scale.min, scale.max, most).at.map((value) => ({ value }));
}

function timeLabel(this: Scale, value: number | string): string {
  const [first, second] = this.ticks;
  const step = first && second ? second.value - first.value : 60_000;
  return formatClock(Number(value), step < 60_000);
}

/** Axis labels are round numbers: trailing zeros say nothing. */
function axisLabel(unit: ChartUnit, value: number): string {
  if (unit === "percent") return `${value}%`;
  return formatRoundBitRate(value);
}

const crosshair: Plugin<"line"> = {
  id: "crosshair",
  afterDatasetsDraw(chart) {
    const [active] = chart.getActiveElements();
    if (active === undefined) return;
    const { ctx, chartArea } = chart;
    ctx.save();
    ctx.strokeStyle = palette()("line-strong");
    ctx.beginPath();
    ctx.moveTo(active.element.x, chartArea.top);
    ctx.lineTo(active.element.x, chartArea.bottom);
    ctx.stroke();
    ctx.restore();
  },
};

/** Hatches the spans without data and names the reason where there is room. */
function gapShade(shade: { readonly current: Shade }): Plugin<"line"> {
  return {
    id: "gaps",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      const { gaps, steps, colour } = shade.current;
      const scale = scales.x;
      if (scale === undefined) return;
      for (const gap of gaps) {
        const left = Math.max(chartArea.left, scale.getPixelForValue(gap.from));
        const right = Math.min(chartArea.right, scale.getPixelForValue(gap.to));
        hatch(ctx, left, chartArea.top, right - left, chartArea.height, colour);
        label(ctx, GAP_LABEL[gap.reason], (left + right) / 2, chartArea.top + 14, right - left, colour);
      }
      for (const step of steps) {
        const x = scale.getPixelForValue(step.at);
        mark(ctx, x, chartArea, colour);
        const room = 2 * Math.min(x - chartArea.left, chartArea.right - x);
        label(ctx, step.label, x, chartArea.bottom - 8, room, colour);
      }
    },
  };
}

function hatch(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
) {
  if (width <= 0) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.globalAlpha = 0.16;
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (let offset = -height; offset < width; offset += 8) {
    ctx.moveTo(x + offset, y + height);
    ctx.lineTo(x + offset + height, y);
  }
  ctx.stroke();
  ctx.restore();
}

/** A dashed line from top to bottom. */
function mark(
  ctx: CanvasRenderingContext2D,
  x: number,
  area: { top: number; bottom: number },
  colour: string,
) {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(x, area.top);
  ctx.lineTo(x, area.bottom - 20);
  ctx.stroke();
  ctx.restore();
}

function label(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  room: number,
  colour: string,
) {
  ctx.save();
  ctx.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  if (ctx.measureText(text).width + 12 <= room) {
    ctx.fillStyle = colour;
    ctx.textAlign = "center";
    ctx.fillText(text, x, y);
  }
  ctx.restore();
}
