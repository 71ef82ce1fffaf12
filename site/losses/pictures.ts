/** Pictures of a loss: a curve with its slope, or a surface with arrows downhill. */
import type { Plot, PlotOptions } from "@observablehq/plot";
import type { PlotModule } from "../shell/plot.ts";
import { color } from "../shell/theme.ts";
import type { Entry } from "./catalogue.ts";
import type { Sampled } from "./curve.ts";

type Module = PlotModule;
export type Drawn = (SVGSVGElement | HTMLElement) & Plot;

/** The picture of a loss; a small one has no axes. */
export function drawLoss(
  plot: Module,
  entry: Entry,
  sampled: Sampled,
  width: number,
  height: number,
  isSmall = false,
): Drawn {
  const frame = isSmall
    ? { margin: 2, x: { axis: null }, y: { axis: null } }
    : { marginBottom: 46 };
  const style = { fontSize: "12px", background: "none" };
  return entry.y
    ? surface(plot, entry, sampled, { width, height, style, ...frame }, isSmall)
    : curve(plot, entry, sampled, { width, height, style, ...frame }, isSmall);
}

function curve(
  plot: Module,
  { x }: Entry,
  { xs, loss, dx }: Sampled,
  options: PlotOptions,
  isSmall: boolean,
): Drawn {
  const lines = [
    { values: dx, stroke: color("--second"), width: isSmall ? 1.25 : 1.75 },
    { values: loss, stroke: color("--accent"), width: isSmall ? 1.75 : 2.5 },
  ];
  const [least, most] = range(loss, dx);
  const axes = isSmall
    ? {}
    : { x: { label: `${x[0]} →`, labelOffset: 42 }, y: { label: null, domain: [least, most] } };
  return plot.plot({
    ...options,
    y: { axis: null, domain: [least, most] },
    ...axes,
    marks: [
      ...(isSmall ? [] : [plot.gridY({ stroke: color("--line"), strokeOpacity: 1 })]),
      plot.ruleY([0], { stroke: color("--edge") }),
      ...lines.map(({ values, stroke, width: strokeWidth }) =>
        plot.line(xs, { x: xs, y: Array.from(values), stroke, strokeWidth, clip: true }),
      ),
    ],
  }) as Drawn;
}

/** What is shown along y: all of the loss, and as much of a slope that is endless somewhere. */
function range(loss: ArrayLike<number>, dx: ArrayLike<number>): [number, number] {
  const most = Math.max(...Array.from(loss), 0.1);
  const low = Math.min(...Array.from(loss), ...Array.from(dx), 0);
  const high = Math.max(most, ...Array.from(dx));
  return [Math.max(low, -2 * most) - 0.05 * most, Math.min(high, 1.6 * most) + 0.05 * most];
}

function surface(
  plot: Module,
  { x, y = x, marks = [] }: Entry,
  { xs, ys, loss, dx, dy }: Sampled,
  options: PlotOptions,
  isSmall: boolean,
): Drawn {
  const [n, m] = [xs.length, ys.length];
  const every = isSmall ? 5 : Math.round(n / 12);
  const arrows = [];
  for (let j = Math.floor(every / 2); j < m; j += every) {
    for (let i = Math.floor(every / 2); i < n; i += every) {
      const k = j * n + i;
      const size = Math.hypot(dx[k], dy[k]);
      if (size > 1e-4) arrows.push({ x: xs[i], y: ys[j], size, turn: Math.atan2(-dx[k], -dy[k]) });
    }
  }
  // Roots of what is above the least spread the contours over steep corners and flat grounds alike.
  const least = Math.min(...Array.from(loss));
  const heights = Array.from(loss, (value) => Math.sqrt(value - least));
  const most = Math.max(...arrows.map(({ size }) => size), 1e-9);
  const axes = isSmall
    ? {}
    : { x: { label: `${x[0]} →`, labelOffset: 42 }, y: { label: `↑ ${y[0]}` } };
  return plot.plot({
    ...options,
    ...axes,
    color: { type: "linear", range: [color("--card"), color("--accent")], interpolate: "rgb" },
    marks: [
      plot.contour(heights, {
        ...{ width: n, height: m, x1: x[1], x2: x[2], y1: y[1], y2: y[2] },
        fill: (value: number) => value,
        fillOpacity: 0.75,
        stroke: color("--card"),
        strokeWidth: 0.75,
        thresholds: isSmall ? 6 : 14,
      }),
      plot.vector(arrows, {
        x: "x",
        y: "y",
        rotate: ({ turn }: { turn: number }) => (turn * 180) / Math.PI,
        length: ({ size }: { size: number }) =>
          (isSmall ? 5 : 6) + (isSmall ? 7 : 16) * (size / most),
        stroke: color("--second"),
        strokeWidth: isSmall ? 1 : 1.5,
      }),
      ...(isSmall
        ? []
        : [
            plot.dot(marks, { x: "0", y: "1", r: 3, fill: color("--text") }),
            plot.text(marks, {
              x: "0",
              y: "1",
              text: "2",
              dy: -11,
              fontSize: 14,
              fill: color("--text"),
            }),
          ]),
    ],
  }) as Drawn;
}
