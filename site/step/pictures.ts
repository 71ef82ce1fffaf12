import { Picture } from "../shell/plot.ts";
import { color } from "../shell/theme.ts";
import type { Forms } from "./forms.ts";
import type { PartTime } from "./job.ts";
import { bytesText, groupColor } from "./words.ts";

/** How high pictures are, in pixels. */
const HEIGHT = 260;

/** The graph as arcs over its steps, in the colours of their groups. */
export class GraphPicture {
  readonly #picture: Picture;

  constructor(host: HTMLElement) {
    this.#picture = new Picture(host, "The graph of a step", HEIGHT);
  }

  clear(): void {
    this.#picture.clear();
  }

  show({ steps, groups }: Forms, chosen: number | null): void {
    const arcs = steps.flatMap(({ inputs }, to) => inputs.map((from) => ({ from, to })));
    const longest = Math.max(1, ...arcs.map(({ from, to }) => to - from));
    const isIn = (i: number) => chosen === null || groups[chosen].steps.includes(i);
    const colorOf = (i: number) => groupColor(steps[i].group);
    const title = `The graph: ${steps.length} steps, ${arcs.length} arcs`;
    void this.#picture.draw((Plot, width) => {
      const pieces = arcs.length > 400 ? 24 : 48;
      // An arc over its ends, as high as it is wide up to the picture's height.
      const shape = ({ from, to }: (typeof arcs)[number]) => {
        const high = Math.sqrt((to - from) / longest);
        const points = Array.from({ length: pieces + 1 }, (_, k) => {
          const angle = (Math.PI * k) / pieces;
          const x = (from + to) / 2 - ((to - from) / 2) * Math.cos(angle);
          return { x, y: high * Math.sin(angle), z: `${from}-${to}`, from, to };
        });
        return points;
      };
      const points = arcs.flatMap(shape);
      return Plot.plot({
        width,
        height: HEIGHT,
        margin: 8,
        x: { axis: null, domain: [-1, steps.length] },
        y: { axis: null, domain: [-0.08, 1.02] },
        marks: [
          Plot.line(points, {
            x: "x",
            y: "y",
            z: "z",
            stroke: ({ to }) => colorOf(to),
            strokeWidth: arcs.length > 400 ? 0.6 : 1,
            strokeOpacity: ({ to, from }) => (isIn(to) || isIn(from) ? 0.8 : 0.2),
          }),
          Plot.dot(steps, {
            x: (_, i) => i,
            y: 0,
            r: steps.length > 300 ? 1.5 : 3,
            fill: (_, i) => colorOf(i),
            fillOpacity: (_, i) => (isIn(i) ? 1 : 0.3),
          }),
        ],
      });
    }, title);
  }
}

/** Which values are in memory when. */
export class MemoryPicture {
  readonly #picture: Picture;

  constructor(host: HTMLElement) {
    this.#picture = new Picture(host, "Values in memory between dispatches", HEIGHT);
  }

  clear(): void {
    this.#picture.clear();
  }

  show({ values, slots, dispatches, groups, steps }: Forms, chosen: number | null): void {
    const starts = slots.map((_, i) => slots.slice(0, i).reduce((a, b) => a + b, 0));
    const touched = chosen === null ? [] : [...groups[chosen].reads, ...groups[chosen].stores];
    const title = `${values.length} values in ${slots.length} places between ${dispatches.length} dispatches`;
    void this.#picture.draw((Plot, width) => {
      return Plot.plot({
        width,
        height: HEIGHT,
        marginLeft: 56,
        x: {
          label: "Dispatch →",
          domain: [0, dispatches.length],
          ticks: Math.min(10, dispatches.length),
        },
        y: { label: null, tickFormat: (bytes: number) => bytesText(bytes), ticks: 5 },
        marks: [
          Plot.rect(values, {
            x1: "first",
            x2: ({ last }) => last + 1,
            y1: ({ slot }) => starts[slot],
            y2: ({ slot, bytes }) => starts[slot] + bytes,
            fill: ({ step }) => groupColor(steps[step].group),
            fillOpacity: ({ step }) => (chosen === null || touched.includes(step) ? 0.85 : 0.25),
            stroke: color("--card"),
          }),
          Plot.ruleY([0]),
        ],
      });
    }, title);
  }
}

/** How many parts are shown of those that take longest, and how high a bar with its gap may be. */
export const LONGEST = 12;
const BAR = 22;
/** As high for few bars as for all, so that nothing below moves when they come. */
const TIMES_HEIGHT = 40 + BAR * LONGEST;

/** How long each part takes. */
export class TimesPicture {
  readonly #picture: Picture;

  constructor(host: HTMLElement) {
    this.#picture = new Picture(host, "Microseconds of each part", TIMES_HEIGHT);
  }

  clear(): void {
    this.#picture.clear();
  }

  show(parts: readonly PartTime[]): void {
    const rows = parts
      .map((part, i) => ({ ...part, label: `${i + 1} ${part.ops.join("+")}` }))
      .sort((a, b) => b.micros - a.micros)
      .slice(0, LONGEST);
    const title = `Microseconds: ${rows.map(({ label, micros }) => `${label} ${micros.toFixed(1)}`).join(", ")}`;
    void this.#picture.draw((Plot, width) => {
      const left = Math.min(240, width * 0.42);
      const most = Math.floor(left / 6.6) - 2;
      const short = (text: string) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
      return Plot.plot({
        width,
        marginLeft: left,
        height: TIMES_HEIGHT,
        x: { label: "µs →", grid: true, nice: true },
        y: {
          label: null,
          domain: rows.map(({ label }) => label),
          padding: 1 - (0.9 * rows.length) / LONGEST,
          tickFormat: short,
          tickSize: 0,
        },
        marks: [
          Plot.barX(rows, { x: "micros", y: "label", fill: color("--accent") }),
          Plot.ruleX([0]),
        ],
      });
    }, title);
  }
}
