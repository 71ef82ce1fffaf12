/** The page Descent: eight ways down a landscape. */
import { exponentialMovingAverage } from "gradus/optim";
import { fit } from "../shell/canvas.ts";
import { region, showCode } from "../shell/code.ts";
import { decimal, element, make } from "../shell/dom.ts";
import { normal } from "../shell/plane-data.ts";
import { Lines, Picture, plain } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, type Setting, Settings, text, toggle } from "../shell/settings.ts";
import { color, onTheme } from "../shell/theme.ts";
import { LONGEST, parseFormula } from "./formula.ts";
import type job from "./job.ts";
import jobSource from "./job.ts?raw";
import landscapeSource from "./landscape.ts?raw";
import { LANDSCAPE_NAMES, LANDSCAPES, type Landscape, METHODS } from "./landscapes.ts";
import "./style.css";

const POPULATION = 40;
const HEIGHT = 460;
const GENETIC = { id: "genetic", title: "Genetic", color: "--muted" } as const;
const ALL = [...METHODS, GENETIC];

const select = element("landscape", HTMLSelectElement);
for (const name of LANDSCAPE_NAMES) {
  select.append(make("option", { value: name }, LANDSCAPES[name].title));
}
for (const { id, title, color: name } of ALL) {
  const box = make("input", { type: "checkbox", name: id, id });
  const swatch = make("span", { className: "swatch" });
  swatch.style.background = `var(${name})`;
  const label = make("label", { className: "check", htmlFor: id }, box, swatch, title);
  const cells = ["rate", "height", "where"].map((what) => make("td", { id: `${id}-${what}` }, "–"));
  element("methods").append(make("tr", {}, make("td", {}, label), ...cells));
}

/** A formula that can be read, empty for that of the landscape. */
const formula: Setting<string> = {
  ...text(""),
  read(given) {
    try {
      if (given.trim()) parseFormula(given);
      return given;
    } catch {
      return null;
    }
  },
  rule: `a formula of x and y, such as (1 - x)^2 + 5 (y - x^2)^2, with sin, cos, exp, log, sqrt and abs, in at most ${LONGEST} characters`,
};
const MOST = 1000;
const PAIR = /^\s*(-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?)?\s*$/;
/** Where to begin, empty for the start of the landscape. */
const from: Setting<string> = {
  ...text(""),
  read(given) {
    const isNear = given.split(",").every((value) => Math.abs(Number(value)) <= MOST);
    return PAIR.test(given) && isNear ? given : null;
  },
  rule: "two numbers from −1,000 to 1,000, as in -1.5, 2",
};
const settings = new Settings(
  element("settings", HTMLFormElement),
  {
    landscape: choice("ravine", LANDSCAPE_NAMES),
    from,
    rate: number(0, { min: -3, max: 4 }),
    noise: number(0, { min: 0, max: 5 }),
    formula,
    ...Object.fromEntries(ALL.map(({ id }) => [id, toggle(true)])),
  },
  // Another landscape has its own formula and start.
  (_, changed) => (changed.has("landscape") && changed.size === 1 ? { formula: "", from: "" } : {}),
);

const chosen = (): Landscape => LANDSCAPES[settings.values.landscape];
const formulaOf = () => settings.values.formula.trim() || chosen().formula;
const factorOf = () => 2 ** settings.values.rate;
const startOf = (): [number, number] => {
  const [x, y] = settings.values.from.split(",").map(Number);
  return y === undefined ? [...chosen().start] : [x, y];
};
const isShown = (id: string) => (settings.values as Record<string, unknown>)[id] !== false;

/** Where each method has been, `[x, y]`, how high it is, at which step it was lost, and whether it grew
 * without end or came where the function has no value. */
interface Way {
  readonly places: [number, number][];
  height: number;
  lost: { readonly step: number; readonly how: "diverged" | "undefined here" } | null;
}
const ways = new Map<string, Way>();
let population: number[] = [];
let scales: { x(value: number): number; y(value: number): number } | null = null;
const picture = new Picture(element("contours"), "Contours of the landscape", HEIGHT);
const canvas = element("paths", HTMLCanvasElement);

/** Draws the contours, of roots of roots of what is above the least, so that flat grounds show too. */
async function drawContours(): Promise<void> {
  const landscape = chosen();
  const { x, y } = landscape;
  const n = 81;
  const field = await runner.run?.call("field", n, x, y);
  if (!field || landscape !== chosen()) return;
  const known = Array.from(field as ArrayLike<number>).filter(Number.isFinite);
  const least = known.reduce((a, b) => Math.min(a, b), Infinity);
  const heights = Array.from(field as ArrayLike<number>, (z) => Math.max(0, z - least) ** 0.35);
  await picture.draw((Plot, width) => {
    const plot = Plot.plot({
      ...{
        width,
        height: HEIGHT,
        marginTop: 28,
        marginLeft: 32,
        marginRight: 12,
        marginBottom: 46,
      },
      style: { fontSize: "12px", background: "none" },
      x: { domain: [...x], label: "x →", labelOffset: 42 },
      y: { domain: [...y], label: "↑ y" },
      color: { type: "linear", range: [color("--card"), color("--accent")], interpolate: "rgb" },
      marks: [
        Plot.contour(heights, {
          ...{ width: n, height: n, x1: x[0], x2: x[1], y1: y[0], y2: y[1] },
          fill: (value: number) => value,
          fillOpacity: 0.26,
          stroke: color("--accent"),
          strokeOpacity: 0.35,
          strokeWidth: 0.75,
          thresholds: 18,
        }),
      ],
    });
    const [along, up] = [plot.scale("x"), plot.scale("y")];
    scales = { x: (v) => along?.apply(v) ?? 0, y: (v) => up?.apply(v) ?? 0 };
    queueMicrotask(paint);
    return plot;
  }, `Contours of f(x, y) = ${formulaOf()}`);
}

/** Draws the ways so far. */
function paint(): void {
  const context = fit(canvas);
  const ratio = canvas.width / (canvas.clientWidth || canvas.width);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  if (!scales) return;
  const { x, y } = scales;
  const limit = (value: number) => Math.max(-1e4, Math.min(1e4, value));
  const disk = (px: number, py: number, radius: number) => {
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
  };
  if (isShown(GENETIC.id)) {
    context.fillStyle = color("--muted");
    for (let k = 0; k < population.length; k += 2) {
      disk(x(population[k]), y(population[k + 1]), 2);
      context.fill();
    }
  }
  context.lineJoin = "round";
  for (const { id, color: name } of ALL) {
    const places = ways.get(id)?.places.filter((place) => place.every(Number.isFinite)) ?? [];
    if (!isShown(id) || places.length === 0) continue;
    const dots = places.map((place) => [limit(x(place[0])), limit(y(place[1]))]);
    context.strokeStyle = context.fillStyle = color(name);
    context.lineWidth = 2;
    context.beginPath();
    for (const [px, py] of dots) context.lineTo(px, py);
    context.stroke();
    // Single steps, as long as there are few.
    if (dots.length < 60) {
      for (const [px, py] of dots) {
        disk(px, py, 2.25);
        context.fill();
      }
    }
    const [px, py] = dots[dots.length - 1];
    disk(px, py, 5.5);
    context.fill();
    context.strokeStyle = color("--card");
    context.stroke();
  }
}

const tell = (value: number, digits = 3) => {
  if (Math.abs(value) === Infinity) return value < 0 ? "−∞" : "∞";
  return plain(value, digits);
};

/** Notes where a method is. */
function move(id: string, place: [number, number], height: number, step: number): void {
  const way = ways.get(id);
  if (!way) return;
  const { x, y } = chosen();
  const far = 10 * Math.max(x[1] - x[0], y[1] - y[0], ...startOf().map(Math.abs));
  const isFar = place.some((c) => Math.abs(c) >= far);
  const isNone = Number.isNaN(height) || place.some(Number.isNaN);
  const isInfinite = Math.abs(height) === Infinity;
  // Where it begins, a height without end is a place outside of what the function is defined on.
  const isFirst = way.places.length === 1;
  if (isFar || isNone || isInfinite) {
    const how = isFar || (isInfinite && !isFirst) ? "diverged" : "undefined here";
    way.lost ??= { step, how };
  }
  way.places.push(place);
  way.height = height;
  element(`${id}-height`).textContent = Number.isNaN(height) ? "–" : tell(height);
  element(`${id}-where`).textContent = way.lost?.how ?? place.map((c) => decimal(c, 2)).join(", ");
}

/** Says who is lost, and why. */
function verdict(): string {
  const told = (how: NonNullable<Way["lost"]>["how"]) =>
    METHODS.flatMap(({ id, title }) => {
      const lost = ways.get(id)?.lost;
      return lost?.how === how ? [`${title} (step ${lost.step})`] : [];
    }).join(", ");
  const [diverged, none] = [told("diverged"), told("undefined here")];
  const why =
    "Each step overshoots by more than it mends: the next slope is steeper, the next step longer, and so on without end.";
  return [
    ...(diverged ? [`Too large a rate. Diverged: ${diverged}. ${why}`] : []),
    ...(none ? [`Where the function is undefined, there is no slope to follow: ${none}.`] : []),
  ].join(" ");
}

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings() {
    const factor = factorOf();
    const rates = Object.entries(chosen().rates).map(([kind, rate]) => [kind, rate * factor]);
    return {
      ...{ formula: formulaOf(), start: startOf(), noise: settings.values.noise, pause: 60 },
      rates: Object.fromEntries(rates),
      populationSize: POPULATION,
    };
  },
  onRestart() {
    const { rates, text: words } = chosen();
    ways.clear();
    population = [];
    for (const { id } of ALL) {
      ways.set(id, { places: [startOf()], height: Number.NaN, lost: null });
      for (const what of ["height", "where"]) element(`${id}-${what}`).textContent = "–";
    }
    for (const { id, kind } of METHODS) {
      element(`${id}-rate`).textContent = tell(rates[kind] * factorOf());
    }
    element("verdict").textContent = "";
    element("step").textContent = "0";
    element("text").textContent = words;
    element("factor").textContent = tell(factorOf(), 2);
    element("formula", HTMLInputElement).placeholder = chosen().formula;
    element("from", HTMLInputElement).placeholder = chosen().start.join(", ");
    paint();
  },
  onReady: drawContours,
  onEvent(event) {
    if (event.event === "note") {
      const { step, places, best } = event.note;
      population = places;
      move(GENETIC.id, [places[0], places[1]], best, step);
    } else if (event.event === "step" && event.metrics) {
      const { metrics, step } = event;
      element("step").textContent = String(step);
      for (const { id } of METHODS) {
        const place: [number, number] = [metrics[`${id} x`], metrics[`${id} y`]];
        move(id, place, metrics[`${id} height`], step);
      }
      element("verdict").textContent = verdict();
    }
    paint();
  },
});

settings.onChange((_, changed) => {
  const isView = [...changed].every((name) => ALL.some(({ id }) => id === (name as string)));
  if (isView) return paint();
  void runner.restart();
});
element("stage").addEventListener("click", (event) => {
  if (!scales) return;
  const { left, top } = element("stage").getBoundingClientRect();
  const { x, y } = chosen();
  const back = (at: number, of: (v: number) => number, [from, to]: readonly [number, number]) => {
    const value = from + ((at - of(from)) / (of(to) - of(from))) * (to - from);
    return Math.max(from, Math.min(to, value)).toFixed(2);
  };
  const place = [back(event.clientX - left, scales.x, x), back(event.clientY - top, scales.y, y)];
  settings.set({ from: place.join(", ") });
});
element("too-large").addEventListener("click", () => {
  settings.set({ landscape: "ravine", formula: "", from: "", rate: 0.5, noise: 0 });
});
onTheme(paint);
new ResizeObserver(paint).observe(canvas);
void runner.restart();
const code = ["optimizers", "job", "genetic"].map((name) => region(jobSource, name));
showCode(
  element("code"),
  [region(landscapeSource, "evaluate"), ...code].join("\n\n"),
  "The program that goes downhill",
);

// The noisy cosine.
const COUNT = 300;
const smoothing = new Settings(element("smoothing", HTMLFormElement), {
  beta: number(0.9, { min: 0, max: 0.98 }),
  spread: number(0.35, { min: 0, max: 1 }),
});
const smooth = new Lines(element("smooth"), {
  title: "A noisy cosine and its moving averages",
  x: "Step",
  height: 260,
  range: [-2, 2],
  lines: [
    { label: "Gradient with noise", color: "--edge", width: 0.75 },
    { label: "Without noise", color: "--third", dashed: true },
    { label: "Moving average", color: "--second", width: 2 },
    { label: "With correction", color: "--accent", width: 2 },
  ],
});

function showSmooth(): void {
  const { beta: decay, spread } = smoothing.values;
  const bell = normal(11);
  const steps = Array.from({ length: COUNT }, (_, t) => t + 1);
  const clean = steps.map((t) => Math.cos((2 * Math.PI * t) / 150));
  const noisy = clean.map((value) => value + spread * bell());
  const average = exponentialMovingAverage(noisy, { decay });
  const corrected = exponentialMovingAverage(noisy, { decay, biasCorrection: true });
  smooth.set(steps, [noisy, clean, average, corrected]);
  const off = (series: number[]) => {
    return Math.sqrt(series.reduce((sum, y, t) => sum + (y - clean[t]) ** 2, 0) / COUNT);
  };
  element("smoothness").textContent =
    `Off the cosine by ${tell(off(noisy))} as it comes, by ${tell(off(corrected))} smoothed (roots of mean squares).`;
}
smoothing.onChange(showSmooth);
showSmooth();
