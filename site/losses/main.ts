/** The page Losses: each loss with its slope, and what a bad choice costs. */
import { region, showCode } from "../shell/code.ts";
import { element, make, withMinus } from "../shell/dom.ts";
import { Lines, Picture } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings } from "../shell/settings.ts";
import { isCalm } from "../shell/theme.ts";
import {
  angle,
  CATALOGUE,
  type Choice,
  type Entry,
  GROUPS,
  heldTo,
  LOSS_NAMES,
  type LossName,
} from "./catalogue.ts";
import type { Sampled } from "./curve.ts";
import curveSource from "./curve.ts?raw";
import formulas from "./formulas.tex";
import type job from "./job.ts";
import jobSource from "./job.ts?raw";
import lossesSource from "./losses.ts?raw";
import { type Drawn, drawLoss } from "./pictures.ts";
import type { Answer, Question } from "./sampler.ts";
import "./style.css";

/** Where no choice was made: the loss's own value, or the dot's own way. */
const OWN = -1;
const SLIDER = { min: OWN, max: 100 };

const entryOf = (name: LossName): Entry => CATALOGUE[name];
const titleOf = (name: LossName) => entryOf(name).title ?? name;
const groups = Object.entries(GROUPS).map(([group, title]) => {
  return { title, names: LOSS_NAMES.filter((name) => entryOf(name).group === group) };
});

const select = element("loss", HTMLSelectElement);
for (const { title, names } of groups) {
  const options = names.map((name) => make("option", { value: name }, titleOf(name)));
  select.append(make("optgroup", { label: title }, ...options));
}

const settings = new Settings(
  element("settings", HTMLFormElement),
  {
    loss: choice("huber", LOSS_NAMES),
    chosen: number(OWN, { min: OWN, max: 100 }),
    at: number(OWN, SLIDER),
    up: number(OWN, SLIDER),
  },
  (_, changed) =>
    changed.has("loss") && changed.size === 1 ? { at: OWN, up: OWN, chosen: OWN } : {},
);

// What is shown is computed beside the page, by another worker than that of the slow start.
const startWorker = () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" });
const worker = startWorker();
const waiting = new Map<number, (answer: Answer) => void>();
let asked = 0;
worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
  waiting.get(data.id)?.(data);
  waiting.delete(data.id);
});
const ask = (name: LossName, n: number, chosen: number) => {
  const id = asked++;
  worker.postMessage({ id, name, n, chosen } satisfies Question);
  return new Promise<Answer>((resolve) => waiting.set(id, resolve));
};

const HEIGHT = 400;
const picture = new Picture(element("picture"), "A loss", HEIGHT);
const dot = element("dot");
let name = settings.values.loss;
let sampled: Sampled | null = null;
let drawn: Drawn | null = null;
/** Where the dot is, in shares of the axes. */
let place: [number, number] = [0.1, 0.85];

const chosenOf = ({ choice }: Entry) => {
  const { chosen } = settings.values;
  if (!choice) return 0;
  return chosen === OWN ? choice.initial : heldTo(choice, chosen);
};

/** Reads a value between the places at which it is known. */
function between(values: ArrayLike<number>, [u, v]: readonly [number, number]): number {
  const { xs, ys } = sampled as Sampled;
  const [x, y] = [u * (xs.length - 1), v * (ys.length - 1)];
  const [i, j] = [Math.min(Math.floor(x), xs.length - 2), Math.min(Math.floor(y), ys.length - 2)];
  const row = (j: number) => {
    const k = j * xs.length + i;
    return values[k] + (x - i) * (values[k + 1] - values[k]);
  };
  return ys.length === 1 ? row(0) : row(j) + (y - j) * (row(j + 1) - row(j));
}

const tell = (value: number) => {
  const text = Math.abs(value) < 0.0005 ? "0" : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
  return withMinus(text);
};

/** Writes the values where the dot is, and moves it there. */
function showPlace(): void {
  const entry = entryOf(name);
  const [x, y] = [entry.x, entry.y ?? entry.x].map(([, from, to], k) => {
    return from + place[k] * (to - from);
  });
  const fields = [["at", "x-value", x] as const, ["up", "y-value", y] as const];
  fields.forEach(([id, output, value], k) => {
    element(id, HTMLInputElement).value = String(Math.round(100 * place[k]));
    element(id).setAttribute("aria-valuetext", tell(value));
    element(output).textContent = tell(value);
  });
  if (!sampled || !drawn) return;
  const loss = between(sampled.loss, place);
  const slopes = [sampled.dx, ...(entry.y ? [sampled.dy] : [])].map((of) => between(of, place));
  element("loss-value").textContent = tell(loss);
  element("slope-value").textContent = slopes.map(tell).join(", ");
  const [left, top] = [drawn.scale("x")?.apply(x), drawn.scale("y")?.apply(entry.y ? y : loss)];
  dot.hidden = false;
  dot.style.transform = `translate(${left}px, ${top}px)`;
}

let rolling = 0;
/** Lets the dot go downhill, a step against the gradient in each frame. */
function roll(): void {
  const entry = entryOf(name);
  const run = ++rolling;
  if (!sampled) return;
  const sizes = Array.from(sampled.dx, (d, k) => Math.hypot(d, sampled?.dy[k] ?? 0)).sort(
    (a, b) => a - b,
  );
  const large = sizes[Math.floor(0.9 * sizes.length)] || 1;
  let still = 0;
  const step = () => {
    if (run !== rolling || !sampled) return;
    const before = place;
    const slopes = [sampled.dx, ...(entry.y ? [sampled.dy] : [])];
    place = place.map((share, k) => {
      const slope = slopes[k] ? between(slopes[k], before) : 0;
      return Math.min(1, Math.max(0, share - 0.012 * Math.max(-3, Math.min(3, slope / large))));
    }) as [number, number];
    showPlace();
    still = Math.hypot(place[0] - before[0], place[1] - before[1]) < 1e-4 ? still + 1 : 0;
    if (still < 20) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

const named = ({ symbol, name: of }: Choice) => (symbol === of ? of : `${symbol} (${of})`);

/** Shows the loss that is chosen: words, formula, picture. */
async function show(): Promise<void> {
  name = settings.values.loss;
  const shown = name;
  const entry = entryOf(shown);
  const { x, y, choice } = entry;
  const chosen = chosenOf(entry);
  element("formula").innerHTML = formulas[shown];
  // A formula that is wider than its place scrolls, by keyboard too.
  const math = element("formula").firstElementChild as MathMLElement;
  if (math.scrollWidth > math.clientWidth) math.tabIndex = 0;
  element("text").textContent = entry.text;
  element("paper").textContent = entry.paper;
  element("choice").hidden = !choice;
  element("symbol").textContent = choice ? named(choice) : "";
  element("chosen-value").textContent = String(chosen);
  const slider = element("chosen", HTMLInputElement);
  if (choice) {
    const { min, max, step } = choice;
    Object.assign(slider, { min, max, step });
    slider.value = String(chosen);
  }
  element("x-name").textContent = x[0];
  element("y-name").textContent = y?.[0] ?? "";
  element("y-row").hidden = !y;
  element("slope-name").textContent = y
    ? "Slopes along both"
    : x === angle
      ? "Slope for a radian"
      : "Slope";
  element("caption").textContent = y
    ? "The bluer, the higher the loss. Arrows go downhill, against the gradient, longer where it is steeper."
    : "Blue: the loss. Orange: its slope, the derivative. The dot is where you are.";
  showCode(element("code"), `${rowOf(shown)}\n\n${region(curveSource, "gradient")}`, "The loss");
  for (const button of document.querySelectorAll<HTMLButtonElement>(".gallery button")) {
    button.setAttribute("aria-pressed", String(button.value === shown));
  }
  const { at, up } = settings.values;
  const [u, v] = entry.start ?? [0.1, 0.85];
  place = [at === OWN ? u : at / 100, up === OWN ? v : up / 100];
  sampled = null;
  showPlace();
  const answer = await ask(shown, y ? 49 : 201, chosen);
  if (shown !== settings.values.loss || chosen !== chosenOf(entry)) return;
  if ("problem" in answer) {
    element("caption").textContent = answer.problem;
    return;
  }
  const found = answer.sampled;
  sampled = found;
  const title = `${titleOf(shown)}: the loss and its slope over ${[x, ...(y ? [y] : [])].map(([of]) => of).join(" and ")}`;
  await picture.draw((plot, width) => {
    drawn = drawLoss(plot, entry, found, width, HEIGHT);
    queueMicrotask(showPlace);
    return drawn;
  }, title);
  showPlace();
  if (settings.values.at === OWN && settings.values.up === OWN && !isCalm()) roll();
}

/** A loss's own lines of the file that runs. */
function rowOf(loss: LossName): string {
  const lines = lossesSource.split("\n");
  const from = lines.findIndex((line) => line.startsWith(`  ${loss}: `));
  const length = lines.slice(from + 1).findIndex((line) => /^( {2}\w+: |};)/.test(line)) + 1;
  const row = lines.slice(from, from + length);
  return row.map((line) => line.slice(2)).join("\n");
}

settings.onChange((values, changed) => {
  if (changed.has("loss") || changed.has("chosen")) {
    rolling++;
    void show();
    return;
  }
  if (values.at === OWN && values.up === OWN) return void show();
  rolling++;
  place = [values.at, values.up].map((share, k) => (share === OWN ? place[k] : share / 100)) as [
    number,
    number,
  ];
  showPlace();
});
element("roll").addEventListener("click", () => {
  if (!sampled) return;
  const { start = [0.1, 0.85] } = entryOf(name);
  // A dot that lies still begins again.
  const slopes = [sampled.dx, ...(entryOf(name).y ? [sampled.dy] : [])];
  if (slopes.every((of) => Math.abs(between(of, place)) < 0.02)) place = [...start];
  roll();
});

// Pointing into the picture takes the dot there.
const stage = element("stage");
const point = (event: PointerEvent) => {
  if (!drawn || (event.pointerType !== "mouse" && event.type === "pointermove")) return;
  rolling++;
  const { left, top } = stage.getBoundingClientRect();
  const { x, y } = entryOf(name);
  const values = [
    drawn.scale("x")?.invert?.(event.clientX - left),
    drawn.scale("y")?.invert?.(event.clientY - top),
  ];
  place = [x, y].map((axis, k) => {
    if (!axis) return place[k];
    const share = ((values[k] as number) - axis[1]) / (axis[2] - axis[1]);
    return Math.min(1, Math.max(0, share));
  }) as [number, number];
  showPlace();
};
stage.addEventListener("pointermove", point);
stage.addEventListener("pointerdown", point);

// All losses, small.
const gallery = element("gallery");
for (const { title, names } of groups) {
  const list = make("ul", { className: "gallery" });
  for (const each of names) {
    const host = make("div");
    const button = make("button", { type: "button", value: each }, host, humps(titleOf(each)));
    button.setAttribute("aria-pressed", String(each === name));
    button.addEventListener("click", () => {
      settings.set({ loss: each, at: OWN, up: OWN, chosen: OWN });
      const behavior = isCalm() ? "auto" : "smooth";
      if (stage.getBoundingClientRect().bottom < 0)
        stage.scrollIntoView({ behavior, block: "center" });
    });
    list.append(make("li", {}, button));
    void thumbnail(host, each);
  }
  gallery.append(make("h3", {}, title), list);
}

/** A name that may be broken where its parts meet. */
function humps(title: string): HTMLElement {
  const parts = title.split(/(?<=\p{Ll})(?=\p{Lu})/u);
  return make("span", {}, ...parts.flatMap((part, i) => (i === 0 ? [part] : [make("wbr"), part])));
}

async function thumbnail(host: HTMLElement, each: LossName): Promise<void> {
  const entry = entryOf(each);
  const small = new Picture(host, `The picture of ${titleOf(each)}`, 72);
  // What is chosen is asked for before all that is small.
  await new Promise((go) => setTimeout(go));
  const answer = await ask(each, entry.y ? 17 : 41, entry.choice?.initial ?? 0);
  if ("problem" in answer) return;
  const { sampled } = answer;
  await small.draw((plot, width) => drawLoss(plot, entry, sampled, width, 72, true));
}

void show();

// The slow start.
const slow = new Settings(element("slow", HTMLFormElement), {
  bias: number(6, { min: 0, max: 8 }),
  rate: number(0.5, { min: 0.1, max: 2 }),
});
const lines = [
  { label: "Squared error", color: "--second" },
  { label: "Cross-entropy", color: "--accent" },
] as const;
const errors = new Lines(element("errors"), { title: "Error", x: "Step", lines, range: [0, null] });
const pulls = new Lines(element("pulls"), { title: "Gradient", x: "Step", lines, log: true });
const steps: number[] = [];
const rows: [number[], number[], number[], number[]] = [[], [], [], []];
/** The step at which a net was first twice as good as guessing. */
const learned: (number | null)[] = [null, null];

function verdict(): string {
  const [squared, entropy] = learned;
  if (entropy === null) return "";
  const first = `Trained by cross-entropy, the error is below 0.1 after some ${entropy} steps.`;
  if (squared === null) return `${first} Trained by the squared error it is not yet.`;
  return `${first} Trained by the squared error, after some ${squared}.`;
}

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: startWorker,
  settings: () => slow.values,
  onRestart() {
    for (const list of [steps, ...rows]) list.length = 0;
    learned.fill(null);
    errors.set(steps, rows.slice(0, 2));
    pulls.set(steps, rows.slice(2));
    element("verdict").textContent = "";
  },
  onEvent(event) {
    if (event.event !== "step" || !event.metrics) return;
    const { squaredError, entropyError, squaredPull, entropyPull } = event.metrics;
    steps.push(event.step);
    [squaredError, entropyError, squaredPull, entropyPull].forEach((value, k) => {
      rows[k].push(value);
      if (k < 2 && value < 0.1) learned[k] ??= event.step;
    });
    errors.set(steps, rows.slice(0, 2));
    pulls.set(steps, rows.slice(2));
    element("verdict").textContent = verdict();
  },
});
slow.onChange(() => void runner.restart());
showCode(element("job"), region(jobSource, "job"), "The program that trains both nets");
void runner.restart();
