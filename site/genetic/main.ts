/** The page Without gradients: a population of nets and its best. */
import { paintClasses, paintPoints } from "../shell/canvas.ts";
import { region, showCode } from "../shell/code.ts";
import { count, element, make, percent } from "../shell/dom.ts";
import { Frames } from "../shell/frames.ts";
import { Lines, plain } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings } from "../shell/settings.ts";
import { onTheme } from "../shell/theme.ts";
import { TASK_NAMES, TASKS } from "./data.ts";
import type job from "./job.ts";
import source from "./job.ts?raw";
import "./style.css";

const SIDE = 64;
const SMALL = 24;
const NETS = 12;
const SELECTIONS = ["tournament", "roulette"] as const;
const CROSSOVERS = ["uniform", "one-point", "blend"] as const;

const fill = (id: string, options: readonly (readonly [name: string, title: string])[]) => {
  element(id).append(...options.map(([value, title]) => make("option", { value }, title)));
};
fill(
  "task",
  TASK_NAMES.map((name) => [name, TASKS[name].title]),
);
fill(
  "selection",
  SELECTIONS.map((name) => [name, name]),
);
fill(
  "crossover",
  CROSSOVERS.map((name) => [name, name]),
);

const share = (initial: number) => number(initial, { min: 0, max: 1 });
const settings = new Settings(element("settings", HTMLFormElement), {
  task: choice("xor", TASK_NAMES),
  size: number(60, { min: 12, max: 400, integer: true }),
  hidden: number(4, { min: 1, max: 16, integer: true }),
  selection: choice("tournament", SELECTIONS),
  elite: number(2, { min: 1, max: 10, integer: true }),
  crossover: choice("uniform", CROSSOVERS),
  crossoverRate: share(0.9),
  mutationRate: share(0.1),
  mutationScale: number(0.3, { min: 0, max: 2 }),
  seed: number(1, { min: 0, max: 9999, integer: true }),
});

const history = new Lines(element("history"), {
  title: "Losses over the generations",
  x: "Generation",
  height: 190,
  log: true,
  lines: [
    { label: "Best", color: "--accent", width: 2 },
    { label: "Median", color: "--second" },
    { label: "Worst", color: "--edge", width: 1 },
  ],
});
const present = new Lines(element("population"), {
  title: "The losses of this generation",
  x: "Rank",
  height: 150,
  log: true,
  lines: [{ label: "Loss", color: "--accent", points: true, width: 1 }],
});
const generations: number[] = [];
const rows: [number[], number[], number[]] = [[], [], []];

const canvas = element("surface", HTMLCanvasElement);
const small = Array.from({ length: NETS }, () => make("canvas"));
element("nets").append(...small);
let best: ArrayLike<number> | null = null;
let nets: ArrayLike<number> | null = null;

function paint(): void {
  const { points, labels, classes } = TASKS[settings.values.task];
  const even = (side: number) => new Float32Array(side * side * classes).fill(1 / classes);
  paintClasses(canvas, best ?? even(SIDE), SIDE, classes);
  paintPoints(canvas, points, labels, { radius: points.length < 10 ? 8 : 4 });
  small.forEach((each, k) => {
    const length = SMALL * SMALL * classes;
    const own = nets ? Array.prototype.slice.call(nets, k * length, (k + 1) * length) : even(SMALL);
    paintClasses(each, own, SMALL, classes);
  });
}

const frames = new Frames(async () => {
  const { run } = runner;
  if (!run) return false;
  [best, nets] = await Promise.all([run.call("surface", SIDE), run.call("surfaces", NETS, SMALL)]);
  if (run !== runner.run) [best, nets] = [null, null];
  paint();
  return runner.phase === "training";
});

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings: () => settings.values,
  onRestart() {
    for (const list of [generations, ...rows]) list.length = 0;
    [best, nets] = [null, null];
    history.set(generations, rows);
    present.set([], [[]]);
    element("generation").textContent = "0";
    for (const id of ["loss", "accuracy"]) element(id).textContent = "–";
    element("text").textContent = TASKS[settings.values.task].text;
    paint();
  },
  onEvent(event) {
    if (event.event === "note") {
      const { generation, losses } = event.note;
      generations.push(generation);
      const ranks = [0, Math.floor(losses.length / 2), losses.length - 1];
      ranks.forEach((rank, k) => {
        rows[k].push(losses[rank]);
      });
      history.set(generations, rows);
      present.set(
        losses.map((_, rank) => rank + 1),
        [losses],
      );
    } else if (event.event === "step" && event.metrics) {
      // Number and figures of one generation are written together.
      element("generation").textContent = count(event.step);
      element("loss").textContent = plain(event.loss);
      element("accuracy").textContent = percent(event.metrics.accuracy);
    }
    frames.wake();
  },
  onReady: () => frames.wake(),
});

paint();
onTheme(paint);
new ResizeObserver(paint).observe(canvas);
settings.onChange(() => void runner.restart());
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that evolves");
