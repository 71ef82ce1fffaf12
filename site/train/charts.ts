// uPlot: some 20 kB gzipped, and fast with points that keep coming.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { element, percent } from "../shell/dom.ts";
import type { TestReport, TrainReport } from "./protocol.ts";

type Row = (number | null)[];
type Format = (value: number) => string;

const HEIGHT = 220;

/** The curves of loss and accuracy over steps, while training and on the test images. */
export class Charts {
  readonly #steps: number[] = [];
  readonly #loss: [Row, Row] = [[], []];
  readonly #accuracy: [Row, Row] = [[], []];
  #plots: readonly uPlot[] = [];

  constructor() {
    this.#build();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    const observer = new ResizeObserver(() => this.#fit());
    observer.observe(element("loss-chart"));
    observer.observe(element("accuracy-chart"));
  }

  clear(): void {
    for (const row of [this.#steps, ...this.#loss, ...this.#accuracy]) row.length = 0;
  }

  addTraining({ step, loss, accuracy }: TrainReport): void {
    const i = this.#at(step);
    this.#loss[0][i] = loss;
    this.#accuracy[0][i] = accuracy;
  }

  addTest({ step, loss, accuracy }: TestReport): void {
    const i = this.#at(step);
    this.#loss[1][i] = loss;
    this.#accuracy[1][i] = accuracy;
  }

  draw(): void {
    this.#plots[0].setData([this.#steps, ...this.#loss]);
    this.#plots[1].setData([this.#steps, ...this.#accuracy]);
  }

  /** The place of a step in the rows, which come in order. */
  #at(step: number): number {
    const last = this.#steps.length - 1;
    if (this.#steps[last] === step) return last;
    this.#steps.push(step);
    for (const row of [...this.#loss, ...this.#accuracy]) row.push(null);
    return last + 1;
  }

  #build(): void {
    for (const plot of this.#plots) plot.destroy();
    const loss = makePlot("loss-chart", (value) => value.toFixed(2), [0, null]);
    const accuracy = makePlot("accuracy-chart", (value) => percent(value, 0), [0, 1]);
    this.#plots = [loss, accuracy];
    this.draw();
  }

  #fit(): void {
    for (const plot of this.#plots) {
      const width = plot.root.parentElement?.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }
}

function makePlot(id: string, format: Format, range: [number, number | null]): uPlot {
  const parent = element(id);
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: color("--muted"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  const value = (_: uPlot, y: number | null) => (y === null ? "–" : format(y));
  const shown = { value, spanGaps: true };
  return new uPlot(
    {
      width: parent.clientWidth || 300,
      height: HEIGHT,
      cursor: { y: false },
      scales: {
        x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 0, 10)] },
        y: { range: (_, _low, high) => [range[0], range[1] ?? Math.max(high ?? 0, 0.1) * 1.05] },
      },
      axes: [
        { ...axis, size: 28, values: (_, ticks) => ticks.map((x) => x.toLocaleString("en")) },
        { ...axis, size: 48, values: (_, ticks) => ticks.map(format) },
      ],
      series: [
        { label: "Step", value: (_, x: number | null) => x?.toLocaleString("en") ?? "–" },
        {
          label: "Training",
          stroke: color("--accent"),
          width: 1.5,
          points: { show: false },
          ...shown,
        },
        {
          label: "Test",
          stroke: color("--second"),
          width: 1.5,
          dash: [4, 4],
          points: { show: true, size: 6, fill: color("--second") },
          ...shown,
        },
      ],
    },
    undefined,
    parent,
  );
}
