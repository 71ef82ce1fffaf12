/** The page Two classes: pictures of two kinds are told apart by one output. */
import { fit } from "../shell/canvas.ts";
import { region, showCode } from "../shell/code.ts";
import { count, element, make, percent } from "../shell/dom.ts";
import { Lines } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings, text } from "../shell/settings.ts";
import { color, onTheme } from "../shell/theme.ts";
import type job from "./job.ts";
import type { Tested } from "./job.ts";
import source from "./job.ts?raw";
import { OwnPictures } from "./own.ts";
import { SIZE } from "./sizes.ts";
import "./style.css";

/** Columns of the picture of chances, and mistakes that are shown. */
const [COLUMNS, MISTAKES] = [10, 12];
const NAME = /^.{1,20}$/su;

const settings = new Settings(element("settings", HTMLFormElement), {
  data: choice("drawn", ["drawn", "own"]),
  network: choice("convolutional", ["convolutional", "dense"]),
  first: text("cats", NAME, "1 to 20 characters"),
  second: text("dogs", NAME, "1 to 20 characters"),
  count: number(160, { min: 40, max: 400, integer: true }),
  rate: number(0.003, { min: 0, max: 1 }),
  seed: number(1, { min: 0, max: 9999, integer: true }),
});
const own = new OwnPictures({
  ready: () =>
    settings.values.data === "own" ? void runner.restart() : settings.set({ data: "own" }),
  named: (first, second) =>
    settings.set({ first: first.slice(0, 20), second: second.slice(0, 20) }),
});

const chart = new Lines(element("loss"), {
  title: "Loss over the steps",
  x: "Step",
  height: 236,
  range: [0, null],
  lines: [
    { label: "Learned from", color: "--accent", width: 2 },
    { label: "Unseen", color: "--second", width: 2 },
  ],
});
/** By step: the loss on pictures that are learned from, on others. */
const losses = new Map<number, [trained: number | null, tested: number | null]>();
function note(step: number, place: 0 | 1, value: number): void {
  const row = losses.get(step) ?? [null, null];
  row[place] = value;
  losses.set(step, row);
  const rows = [...losses.values()];
  chart.set([...losses.keys()], [rows.map(([a]) => a), rows.map(([, b]) => b)]);
}

const canvas = element("chances", HTMLCanvasElement);
let tested: readonly (Tested & { readonly picture: OffscreenCanvas })[] = [];
let chances: ArrayLike<number> = [];

/** A picture of planes. */
function pictureOf(planes: Uint8Array): OffscreenCanvas {
  const area = SIZE * SIZE;
  const image = new ImageData(SIZE, SIZE);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = planes[c * area + i];
    image.data[4 * i + 3] = 255;
  }
  const made = new OffscreenCanvas(SIZE, SIZE);
  made.getContext("2d")?.putImageData(image, 0, 0);
  return made;
}

/** Stacks the pictures in columns of like chances: the first class is to go left, the second right. */
function paint(): void {
  const context = fit(canvas);
  const { width, height } = canvas;
  const scale = width / (canvas.clientWidth || width);
  context.clearRect(0, 0, width, height);
  context.fillStyle = color("--edge");
  context.fillRect(width / 2 - scale / 2, 0, scale, height);
  if (chances.length === 0) return;
  const columns = Array.from({ length: COLUMNS }, (): number[] => []);
  const order = [...tested.keys()].sort((a, b) => tested[a].label - tested[b].label);
  for (const i of order) {
    columns[Math.min(COLUMNS - 1, Math.floor(chances[i] * COLUMNS))].push(i);
  }
  const room = width / COLUMNS;
  const highest = Math.max(...columns.map(({ length }) => length));
  // As many beside each other in a column as make all of them fit.
  let beside = 1;
  while (Math.ceil(highest / beside) * (room / beside) > height) beside++;
  const side = room / beside;
  const border = Math.max(scale, 0.06 * side);
  columns.forEach((column, c) => {
    column.forEach((i, k) => {
      const x = c * room + (k % beside) * side;
      const y = height - (Math.floor(k / beside) + 1) * side;
      context.fillStyle = color(tested[i].label === 0 ? "--accent" : "--second");
      context.fillRect(x + scale, y + scale, side - 2 * scale, side - 2 * scale);
      const inner = side - 2 * scale - 2 * border;
      context.drawImage(tested[i].picture, x + scale + border, y + scale + border, inner, inner);
    });
  });
}

const isWrong = (i: number) => chances[i] > 0.5 !== (tested[i].label === 1);

/** Shows the pictures that are told wrong, the surest first. */
function showMistakes(): void {
  const { first, second } = settings.values;
  const wrong = [...tested.keys()]
    .filter(isWrong)
    .sort((a, b) => Math.abs(chances[b] - 0.5) - Math.abs(chances[a] - 0.5));
  element("wrong").textContent = count(wrong.length);
  const items = wrong.slice(0, MISTAKES).map((i) => {
    const picture = make("canvas", { width: SIZE, height: SIZE });
    picture.getContext("2d")?.drawImage(tested[i].picture, 0, 0);
    const told = chances[i] > 0.5 ? second : first;
    const sure = percent(Math.max(chances[i], 1 - chances[i]), 0);
    const said = make("span", {}, make("b", {}, tested[i].name), ` ${sure} for ${told}`);
    return make("li", {}, picture, said);
  });
  element("mistakes").replaceChildren(...items);
  element("none").hidden = wrong.length > 0;
}

function take(step: number, given: ArrayLike<number>): void {
  chances = given;
  const cost = (i: number) => {
    const p = tested[i].label === 1 ? chances[i] : 1 - chances[i];
    return -Math.log(Math.max(p, 1e-7));
  };
  const all = [...tested.keys()];
  note(step, 1, all.reduce((sum, i) => sum + cost(i), 0) / all.length);
  const right = all.filter((i) => !isWrong(i)).length / all.length;
  element("accuracy").textContent = percent(right);
  element("step").textContent = count(step);
  const { first, second } = settings.values;
  const label = `${all.length} pictures from ${first} at the left to ${second} at the right, ${percent(right)} on their side`;
  canvas.setAttribute("aria-label", label);
  paint();
  showMistakes();
}

function showNames(): void {
  const { first, second } = settings.values;
  for (const place of document.querySelectorAll("[data-class]")) {
    place.textContent = place.getAttribute("data-class") === "0" ? first : second;
  }
}

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings() {
    const { data, network, count, rate, seed } = settings.values;
    return { own: data === "own" ? own.enough : null, network, count, rate, seed };
  },
  onRestart() {
    losses.clear();
    [tested, chances] = [[], []];
    chart.set([], []);
    paint();
  },
  onEvent(event) {
    if (event.event === "step") {
      note(event.step, 0, event.loss);
      runner.say(`Step ${count(event.step)}`);
    } else if (event.event === "note" && event.note.kind === "pictures") {
      const { trained, parameters } = event.note;
      tested = event.note.tested.map((each) => ({ ...each, picture: pictureOf(each.planes) }));
      element("trained").textContent = count(trained);
      element("tested").textContent = count(tested.length);
      element("parameters").textContent = count(parameters);
    } else if (event.event === "note" && event.note.kind === "chances") {
      take(event.note.step, event.note.chances);
    }
  },
  advise: () =>
    "A picture may be in a form that this browser cannot read. Take away all of your own, and try others.",
});

paint();
onTheme(paint);
new ResizeObserver(paint).observe(canvas);
showNames();
settings.onChange((_, changed) => {
  showNames();
  if (chances.length > 0) showMistakes();
  if (changed.has("rate")) {
    void runner.run?.set({ learningRate: settings.values.rate }).catch(() => {});
  }
  if ((["data", "network", "count", "seed"] as const).some((name) => changed.has(name))) {
    void runner.restart();
  }
});
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that tells two classes apart");
