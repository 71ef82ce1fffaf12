/** The page One shot: digits that a net never saw are recognised from one example each. */
import { region, showCode } from "../shell/code.ts";
import type { Digits } from "../shell/digits.ts";
import { count, element, make, paintDigit, percent } from "../shell/dom.ts";
import { Frames } from "../shell/frames.ts";
import { Lines } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings } from "../shell/settings.ts";
import { Drawing } from "../train/drawing.ts";
import { squaredDistances } from "./distances.ts";
import type job from "./job.ts";
import source from "./job.ts?raw";
import "./style.css";

const CLASSES = [7, 8, 9] as const;
/** Queries of a class, and the least time between two looks, in milliseconds. */
const [QUERIES, PAUSE] = [20, 120];

const settings = new Settings(element("settings", HTMLFormElement), {
  examples: number(0, { min: 0, max: 60, integer: true }),
  channels: number(8, { min: 2, max: 16, integer: true }),
  margin: number(0.2, { min: 0, max: 2 }),
  rate: number(0.003, { min: 0, max: 1 }),
  seed: number(1, { min: 0, max: 9999, integer: true }),
  by: choice("trained", ["trained", "running"]),
});

const chart = new Lines(element("history"), {
  title: "The share of unseen digits that is recognised",
  x: "Step",
  height: 200,
  range: [0, 1],
  format: (share) => percent(share, 0),
  lines: [
    { label: "By embedding", color: "--accent", width: 2 },
    { label: "By pixels", color: "--edge", dashed: true },
    { label: "Trained before", color: "--third", dashed: true },
  ],
});
type Shares = (number | null)[];
const history: [steps: number[], ...shares: [Shares, Shares, Shares]] = [[], [], [], []];

/** What the reader has drawn in place of an example, by class. */
const drawn: (Float32Array | null)[] = CLASSES.map(() => null);
let query: Float32Array | null = null;
let unseen: Digits | null = null;
let step = 0;
/** Whether the present run can be asked. */
let isReady = false;
/** What the net trained before says, until another example or drawing is asked about. */
let before: readonly number[] | null = null;
/** How often something else was asked. */
let asks = 0;

const anchorPictures = CLASSES.map((digit, k) => {
  const picture = make("canvas", { width: 28, height: 28 });
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `The one example of class ${"ABC"[k]}`);
  const [name, bar, far] = [make("b", {}, "ABC"[k]), make("span"), make("span", {}, "–")];
  const keep = make("button", { type: "button", id: `keep-${k}` }, "Put my drawing here");
  keep.addEventListener("click", () => {
    drawn[k] = drawn[k] ? null : query;
    keep.textContent = drawn[k] ? "Take the digit again" : "Put my drawing here";
    ask();
  });
  const track = make("span", { className: "track" }, bar);
  element("anchors").append(make("li", {}, name, picture, track, far, keep));
  return { picture, bar, far, digit };
});
const queries = Array.from({ length: CLASSES.length * QUERIES }, () => {
  const picture = make("canvas", { width: 28, height: 28 });
  const said = make("span");
  element("queries").append(make("li", {}, picture, said));
  return { picture, said };
});

/** A test digit, as ink from 0 to 1: number `place` of its class. */
function digitOf({ images, labels }: Digits, digit: number, place: number): Float32Array {
  const rows = [...labels.keys()].filter((i) => labels[i] === digit);
  const i = rows[place % rows.length];
  return Float32Array.from(images.subarray(784 * i, 784 * (i + 1)), (ink) => ink / 255);
}
function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(784 * parts.length);
  for (const [i, part] of parts.entries()) all.set(part, 784 * i);
  return all;
}
const show = (canvas: HTMLCanvasElement, ink: Float32Array) =>
  paintDigit(
    canvas,
    ink.map((x) => 255 * x),
  );

/** The nearest of three anchors to each query. */
function nearest(distances: readonly number[]): number[] {
  return Array.from({ length: distances.length / 3 }, (_, i) => {
    const own = distances.slice(3 * i, 3 * i + 3);
    return own.indexOf(Math.min(...own));
  });
}

/** How many of the queries are given the class that they have, as a share. */
function shareOf(told: readonly number[]): number {
  const right = queries.filter((_, i) => told[i] === Math.floor(i / QUERIES));
  return right.length / queries.length;
}

/** Looks anew, by the net trained before too. */
function ask(): void {
  before = null;
  asks++;
  looks.wake();
}

/** The examples, and what is asked about. */
function picturesOf(digits: Digits) {
  const { examples } = settings.values;
  const anchors = CLASSES.map((digit, k) => drawn[k] ?? digitOf(digits, digit, examples));
  const asked = CLASSES.flatMap((digit) =>
    Array.from({ length: QUERIES }, (_, i) => digitOf(digits, digit, examples + 1 + i)),
  );
  return { anchors, asked };
}

/** Shows the pictures, and how many of them pixels alone tell apart. */
function showPictures({ anchors, asked }: ReturnType<typeof picturesOf>): number {
  anchorPictures.forEach(({ picture }, k) => {
    show(picture, anchors[k]);
  });
  queries.forEach(({ picture }, i) => {
    show(picture, asked[i]);
  });
  const share = shareOf(nearest(squaredDistances(joined(asked), joined(anchors), 784)));
  element("by-pixels").textContent = percent(share);
  return share;
}

const looks = new Frames(async () => {
  if (!unseen) return false;
  const pictures = picturesOf(unseen);
  const byPixels = showPictures(pictures);
  const { run } = runner;
  if (!run || !isReady) return false;
  const { anchors, asked } = pictures;
  const given = [joined(anchors), joined(query ? [...asked, query] : asked)] as const;
  const [at, mine] = [step, asks];
  if (!before) {
    // What cannot be loaded is asked for again with the next question.
    const told = await run.call("compare", ...given, "trained").catch(() => null);
    if (run !== runner.run || mine !== asks) return run === runner.run;
    before = told;
    if (told) element("by-trained").textContent = percent(shareOf(nearest(told)));
  }
  const byTrained = before;
  const found = await run.call("compare", ...given, "running");
  if (run !== runner.run || mine !== asks) return run === runner.run;
  const told = nearest(found);
  queries.forEach(({ said }, i) => {
    said.textContent = "ABC"[told[i]];
    said.className = told[i] === Math.floor(i / QUERIES) ? "" : "wrong";
  });
  element("accuracy").textContent = percent(shareOf(told));
  const [steps, ...lines] = history;
  if (steps.at(-1) !== at) {
    steps.push(at);
    const shares = [shareOf(told), byPixels, byTrained && shareOf(nearest(byTrained))];
    for (const [k, line] of lines.entries()) line.push(shares[k]);
    chart.set(steps, lines);
  }
  const judged = settings.values.by === "trained" ? byTrained : found;
  const own = query && judged ? judged.slice(-3) : null;
  const best = own ? own.indexOf(Math.min(...own)) : -1;
  anchorPictures.forEach(({ bar, far }, k) => {
    bar.style.inlineSize = own ? `${100 - 25 * own[k]}%` : "0";
    far.textContent = own ? own[k].toFixed(2) : "–";
    far.className = k === best ? "best" : "";
  });
  element("answer").textContent = own ? "ABC"[best] : "–";
  await new Promise((go) => setTimeout(go, PAUSE));
  return runner.phase === "training";
});

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings: () => settings.values,
  onRestart() {
    for (const list of history) list.length = 0;
    step = 0;
    isReady = false;
    chart.set([], [[], [], []]);
  },
  onEvent(event) {
    if (event.event === "note") {
      unseen = event.note;
      ask();
    }
    if (event.event !== "step") return;
    ({ step } = event);
    runner.say(`Step ${count(step)}, loss ${event.loss.toFixed(3)}`);
  },
  onReady() {
    isReady = true;
    ask();
  },
  onPhase: () => looks.wake(),
});

new Drawing((pixels) => {
  query = pixels;
  ask();
});
settings.onChange((values, changed) => {
  if (changed.has("examples")) ask();
  if (changed.has("by")) looks.wake();
  if (changed.has("rate")) void runner.run?.set({ learningRate: values.rate }).catch(() => {});
  const fresh = ["channels", "margin", "seed"] as const;
  if (fresh.some((name) => changed.has(name))) void runner.restart();
});
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that learns to compare");
