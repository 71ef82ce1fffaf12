/** The page Approximation: a net of one hidden layer fits a function that is drawn. */
import { region, showCode } from "../shell/code.ts";
import { count, decimal, element, make } from "../shell/dom.ts";
import { Frames } from "../shell/frames.ts";
import { Lines, type LinesOptions } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings, text } from "../shell/settings.ts";
import type job from "./job.ts";
import source from "./job.ts?raw";
import {
  FUNCTION_NAMES,
  heightsOf,
  PLACE_X,
  PLACES,
  readHeights,
  WRITTEN,
  writeHeights,
} from "./target.ts";
import "./style.css";

const ACTIVATION_NAMES = ["relu", "tanh", "sigmoid", "sin"] as const;
const OPTIMIZER_NAMES = ["Adam", "RMSprop", "SGD"] as const;
const TITLES: Record<string, string> = { relu: "ReLU", drawn: "drawn by you" };

function fill(id: string, names: readonly string[]): void {
  const options = names.map((name) => make("option", { value: name }, TITLES[name] ?? name));
  element(id, HTMLSelectElement).append(...options);
}
fill("name", [...FUNCTION_NAMES, "drawn"]);
fill("activation", ACTIVATION_NAMES);
fill("optimizer", OPTIMIZER_NAMES);

const settings = new Settings(
  element("settings", HTMLFormElement),
  {
    name: choice("waves", [...FUNCTION_NAMES, "drawn"]),
    drawn: text("", WRITTEN),
    units: number(16, { min: 1, max: 64, integer: true }),
    activation: choice("tanh", ACTIVATION_NAMES),
    optimizer: choice("Adam", OPTIMIZER_NAMES),
    rate: number(0.02, { min: 0, max: 10 }),
    seed: number(1, { min: 0, max: 9999, integer: true }),
  },
  ({ drawn, name }) => (name === "drawn" && !drawn ? { drawn: writeHeights(target) } : {}),
);

/** What is to be fitted. */
let target = targetOf();
function targetOf(): number[] {
  const { drawn, name } = settings.values;
  if (name !== "drawn") return heightsOf(name);
  return drawn ? readHeights(drawn) : new Array<number>(PLACES).fill(0);
}

const COLORS = ["--accent", "--second", "--third", "--fourth", "--fifth", "--sixth"] as const;
const shared = {
  x: "x",
  xRange: [-1, 1],
  legend: false,
  height: 340,
} as const satisfies Partial<LinesOptions>;
const drawing = new Lines(element("drawing"), {
  ...shared,
  title: "The function and the net",
  range: [-1.15, 1.15],
  lines: [
    { label: "Function", color: "--edge", width: 5 },
    { label: "Net", color: "--accent", width: 2.5 },
  ],
});
const piecesOf = (units: number) => ({
  ...shared,
  title: "The neurons' pieces and the sum of some",
  range: [-1.5, 1.5] as const,
  lines: [
    ...Array.from({ length: units }, (_, k) => {
      return { label: `Neuron ${k + 1}`, color: COLORS[k % COLORS.length], width: 1 };
    }),
    { label: "Sum", color: "--text", width: 3 } as const,
  ],
});
let units = settings.values.units;
const parts = new Lines(element("pieces"), piecesOf(units));

let net: number[] | null = null;
/** The pieces that the net had last: `[places, units]`. */
let last: {
  readonly pieces: ArrayLike<number>;
  readonly bias: number;
  readonly units: number;
} | null = null;
const added = element("added", HTMLInputElement);
/** How many pieces are added up; null for all. */
let chosen: number | null = null;

function paint(): void {
  drawing.set(PLACE_X, [target, net ?? PLACE_X.map(() => null)]);
  if (!last || last.units !== units) return;
  const { pieces, bias } = last;
  const shown = chosen ?? units;
  const sum = PLACE_X.map((_, i) => {
    let total = bias;
    for (let k = 0; k < shown; k++) total += pieces[i * units + k];
    return total;
  });
  const rows = Array.from({ length: units }, (_, k) => {
    return k < shown ? PLACE_X.map((_, i) => pieces[i * units + k]) : PLACE_X.map(() => null);
  });
  parts.set(PLACE_X, [...rows, sum]);
}

function tellAdded(): void {
  const shown = chosen ?? units;
  Object.assign(added, { max: String(units), value: String(shown) });
  element("added-value").textContent = `${shown} of ${units}`;
  const which = shown === units ? `of all ${units} neurons` : `of the first ${shown} neurons`;
  element("sum").textContent =
    `Thin: what each neuron gives. Thick: the sum ${which} and the bias c. Add them up one by one with the slider below.`;
}

const frames = new Frames(async () => {
  const { run } = runner;
  if (!run) return false;
  const found = await run.call("pieces");
  last = { ...found, units: found.turns.length };
  net = PLACE_X.map((_, i) => {
    let total = found.bias;
    for (let k = 0; k < units; k++) total += found.pieces[i * units + k];
    return total;
  });
  paint();
  return runner.phase === "training";
});

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings: () => ({ target, ...settings.values }),
  onRestart() {
    ({ units } = settings.values);
    [net, last, chosen] = [null, null, null];
    element("step").textContent = "0";
    element("loss").textContent = "–";
    parts.change(piecesOf(units));
    tellAdded();
    paint();
  },
  onEvent(event) {
    if (event.event !== "step") return;
    element("step").textContent = count(event.step);
    element("loss").textContent = event.loss.toPrecision(3);
  },
  onReady: () => frames.wake(),
  onPhase: () => frames.wake(),
  advise: ({ name }) =>
    name === "NonFiniteLossError" ? "Choose a lower learning rate: the net begins anew." : "",
});

/** Gives the net another function; it goes on from where it is. */
function retarget(): void {
  paint();
  void runner.run?.set({ target }).catch(() => {});
}

settings.onChange((values, changed) => {
  if (changed.has("name") || changed.has("drawn")) {
    target = targetOf();
    tellPlace();
    retarget();
  }
  if (changed.has("rate")) void runner.run?.set({ learningRate: values.rate }).catch(() => {});
  const fresh = ["units", "activation", "optimizer", "seed"] as const;
  // A run that has failed takes nothing on.
  const hasFailed = runner.phase === "failed";
  if (hasFailed || fresh.some((name) => changed.has(name))) void runner.restart();
});
added.addEventListener("input", () => {
  const value = Number(added.value);
  chosen = value === units ? null : value;
  tellAdded();
  paint();
});

// Drawing by pointer: heights between two places that were passed lie on a line.
const host = element("drawing");
let from: { readonly i: number; readonly y: number } | null = null;
function draw(event: PointerEvent): void {
  const area = host.querySelector(".u-over")?.getBoundingClientRect();
  if (!area) return;
  const place = Math.round(((event.clientX - area.left) / area.width) * (PLACES - 1));
  const i = Math.max(0, Math.min(PLACES - 1, place));
  const y = Math.max(-1, Math.min(1, 1.15 - ((event.clientY - area.top) / area.height) * 2.3));
  const start = from ?? { i, y };
  const steps = Math.max(1, Math.abs(i - start.i));
  target = [...target];
  for (let k = 0; k <= steps; k++) {
    const share = k / steps;
    target[Math.round(start.i + share * (i - start.i))] = start.y + share * (y - start.y);
  }
  from = { i, y };
  retarget();
}
const keep = () => settings.set({ name: "drawn", drawn: writeHeights(target) });
host.addEventListener("pointerdown", (event) => {
  host.setPointerCapture(event.pointerId);
  from = null;
  draw(event);
});
host.addEventListener("pointermove", (event) => {
  if (host.hasPointerCapture(event.pointerId)) draw(event);
});
host.addEventListener("pointerup", () => {
  if (from) keep();
  from = null;
});

// Drawing by keyboard: a place, and how high it is there; what lies near comes along.
const placeSlider = element("place", HTMLInputElement);
const heightSlider = element("height", HTMLInputElement);
function tellPlace(): void {
  const i = Number(placeSlider.value);
  element("place-value").textContent = decimal(PLACE_X[i], 2);
  heightSlider.value = String(target[i]);
  element("height-value").textContent = decimal(target[i], 2);
}
placeSlider.value = "32";
placeSlider.addEventListener("input", tellPlace);
heightSlider.addEventListener("input", () => {
  const at = Number(placeSlider.value);
  const change = Number(heightSlider.value) - target[at];
  target = target.map((y, i) => {
    return Math.max(-1, Math.min(1, y + change * Math.exp(-(((i - at) / 4) ** 2))));
  });
  element("height-value").textContent = decimal(target[at], 2);
  retarget();
});
heightSlider.addEventListener("change", keep);

tellPlace();
paint();
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that fits");
