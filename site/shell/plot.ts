/** Charts: lines that grow by uPlot, pictures of functions by Observable Plot. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { withMinus } from "./dom.ts";
import { color, onTheme } from "./theme.ts";

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** A colour of page.css. */
  readonly color: `--${string}`;
  readonly dashed?: boolean;
  readonly width?: number;
  readonly points?: boolean;
}

/** What a chart of lines shows. */
export interface LinesOptions {
  /** What it shows, for those who cannot see it. */
  readonly title: string;
  /** What the values along x are. */
  readonly x: string;
  readonly lines: readonly Line[];
  readonly height?: number;
  readonly log?: boolean;
  /** Whether x is on a logarithmic axis, with a mark at each x that there is. */
  readonly xLog?: boolean;
  /** The least and the greatest value of y, null for what comes. */
  readonly range?: readonly [number | null, number | null];
  /** The least and the greatest x, which are fixed then. */
  readonly xRange?: readonly [number, number];
  /** Whether there is a legend with the values (yes). */
  readonly legend?: boolean;
  readonly format?: (value: number) => string;
}

/** A row of values, null where there is none. */
export type Row = readonly (number | null)[];

/** A number in three figures, or so many, as in 0.0123 and 1.2e−6. */
export function plain(value: number, digits = 3): string {
  const size = Math.abs(value);
  const isPlain = size === 0 || (size >= 1e-3 && size < 1e5);
  return withMinus(isPlain ? String(Number(value.toPrecision(digits))) : value.toExponential(1));
}

/** The next of 1, 2, 5, 10, 20, … below a value, by `Math.floor`, or above it, by `Math.ceil`. */
function roundFigure(value: number, to: (x: number) => number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  const figures = [1, 2, 5, 10];
  const found =
    to === Math.floor
      ? figures.findLast((each) => each * decade <= value)
      : figures.find((each) => each * decade >= value);
  return (found ?? 1) * decade;
}

/** A chart that is less wide has two entries of its legend in a row, another four; how high a row is. */
const [NARROW, LEGEND_ROW] = [440, 27];

/** A place along x. */
const place = (at: number) => withMinus(at.toLocaleString("en"));

/** A chart of lines over common x, with the last values in its legend. */
export class Lines {
  #plot: uPlot | null = null;
  #data: readonly Row[] = [[]];

  constructor(
    readonly host: HTMLElement,
    private options: LinesOptions,
  ) {
    host.classList.add("chart");
    host.setAttribute("role", "img");
    this.#build();
    onTheme(() => this.#build());
    new ResizeObserver(() => this.#fit()).observe(host);
  }

  /** Shows x and one row a line. */
  set(x: readonly number[], rows: readonly Row[]): void {
    const missing = this.options.lines.slice(rows.length).map((): Row => x.map(() => null));
    this.#data = [x, ...rows, ...missing];
    this.#plot?.setData(this.#data as uPlot.AlignedData);
    this.#tellLast();
  }

  /** Shows rows over x of their own: one table of x and rows for some of the lines, in their order. */
  join(tables: readonly (readonly [readonly number[], ...Row[]])[]): void {
    const [x, ...rows] = uPlot.join(tables as unknown as uPlot.AlignedData[]);
    this.set(x as number[], rows as Row[]);
  }

  /** Changes what is shown: lines, a logarithmic axis, … */
  change(options: Partial<LinesOptions>): void {
    this.options = { ...this.options, ...options };
    this.#build();
  }

  get #height(): number {
    return this.options.height ?? 200;
  }

  /** Without a cursor, the legend tells the last values. */
  #tellLast(): void {
    const plot = this.#plot;
    const { format = plain, lines, title } = this.options;
    // Lines that were added have no rows until the next call of set.
    if (!plot || plot.data.length <= lines.length) return;
    const last = this.#data[0].length - 1;
    if (last >= 0 && (plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: last }, false);
    const told = lines.map(({ label, points }, i) => {
      const row = this.#data[i + 1];
      const value = points ? row?.at(-1) : row?.findLast((y) => y != null);
      return typeof value === "number" ? `${label} ${format(value)}` : label;
    });
    this.host.setAttribute("aria-label", `${title}: ${told.join(", ")}`);
  }

  #fit(): void {
    const width = this.host.clientWidth;
    const plot = this.#plot;
    if (plot && width > 0 && width !== plot.width) plot.setSize({ width, height: this.#height });
  }

  #build(): void {
    this.#plot?.destroy();
    const { format = plain, legend = true, lines, log = false, x, xLog = false } = this.options;
    const { range = [null, null], xRange } = this.options;
    const inRow = this.host.clientWidth < NARROW ? 2 : 4;
    const rows = legend ? Math.ceil((lines.length + 1) / inRow) : 0;
    this.host.style.setProperty("--chart-height", `${this.#height + LEGEND_ROW * rows}px`);
    const axis: uPlot.Axis = {
      stroke: color("--muted"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const value = (_: uPlot, y: number | null) => (y == null ? "–" : format(y));
    // The last value that a row has, where the cursor is at a place that it has none of; not of points, which
    // stand for themselves.
    const known = (plot: uPlot, y: number | null, series: number, index: number | null) => {
      if (y != null || index === null) return value(plot, y);
      const row = plot.data[series];
      for (let i = index; i >= 0; i--) if (row[i] != null) return format(row[i] as number);
      return "–";
    };
    const yRange: uPlot.Range.Function = (_, low, high) => {
      if (log)
        return [
          low > 0 ? roundFigure(low, Math.floor) : 1e-6,
          high > 0 ? roundFigure(high, Math.ceil) : 1,
        ];
      const least = range[0] ?? (low ?? 0) - 0.05 * ((high ?? 1) - (low ?? 0));
      const most = range[1] ?? (high ?? 1) + 0.05 * ((high ?? 1) - least || 1);
      return [least, most];
    };
    this.#plot = new uPlot(
      {
        width: this.host.clientWidth || 300,
        height: this.#height,
        cursor: { y: false, drag: { setScale: !xRange, x: !xRange } },
        legend: { show: legend },
        scales: {
          x: {
            time: false,
            distr: xLog ? 3 : 1,
            range: (_, low, high) => {
              if (xRange) return [...xRange];
              if (xLog) return [(low ?? 1) / 1.15, (high ?? 10) * 1.15];
              return [low ?? 0, Math.max(high ?? 0, (low ?? 0) + 10)];
            },
          },
          y: { distr: log ? 3 : 1, range: yRange },
        },
        axes: [
          {
            ...axis,
            size: 28,
            values: (_, ticks) => ticks.map(place),
            ...(xLog && { splits: () => [...this.#data[0]] as number[], filter: (_, all) => all }),
          },
          {
            ...axis,
            size: 52,
            values: (_, ticks) => ticks.map((t) => (t === null ? "" : format(t))),
          },
        ],
        series: [
          { label: x, value: (_, at: number | null) => (at == null ? "–" : place(at)) },
          ...lines.map((line) => ({
            label: line.label,
            stroke: color(line.color),
            width: line.width ?? 1.5,
            dash: line.dashed ? [4, 4] : undefined,
            points: { show: line.points ?? false, size: 5, fill: color(line.color) },
            spanGaps: true,
            value: (line.points ? value : known) as uPlot.Series.Value,
          })),
        ],
        hooks: {
          setCursor: [
            (plot) => {
              if ((plot.cursor.left ?? -1) < 0) queueMicrotask(() => this.#tellLast());
            },
          ],
        },
      },
      this.#data.length > lines.length ? (this.#data as uPlot.AlignedData) : undefined,
      this.host,
    );
    this.#tellLast();
  }
}

/** What draws pictures: marks, and `plot` that puts them together. */
export type PlotModule = typeof import("./plot-marks.ts");

/** A picture drawn by Observable Plot, anew whenever its width or the theme changes. */
export class Picture {
  #make: ((plot: PlotModule, width: number) => Element) | null = null;
  #width = 0;

  /** @param height kept for it until it is drawn, in pixels. */
  constructor(
    readonly host: HTMLElement,
    readonly title: string,
    height: number,
  ) {
    host.classList.add("chart");
    host.style.setProperty("--chart-height", `${height}px`);
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", title);
    onTheme(() => this.#draw());
    new ResizeObserver(() => {
      if (host.clientWidth !== this.#width) void this.#draw();
    }).observe(host);
  }

  /** Draws what a function makes: `(Plot, width) => Plot.plot({ width, marks: [...] })`. */
  async draw(
    make: (plot: PlotModule, width: number) => Element,
    title = this.title,
  ): Promise<void> {
    this.#make = make;
    this.host.setAttribute("aria-label", title);
    await this.#draw();
  }

  /** Takes away what is drawn; its place is kept. */
  clear(): void {
    this.#make = null;
    this.host.setAttribute("aria-label", this.title);
    this.host.replaceChildren();
  }

  async #draw(): Promise<void> {
    const plot = await import("./plot-marks.ts");
    this.#width = this.host.clientWidth;
    if (!this.#make || this.#width === 0) return;
    const drawn = this.#make(plot, this.#width);
    drawn.setAttribute("aria-hidden", "true");
    this.host.replaceChildren(drawn);
  }
}
