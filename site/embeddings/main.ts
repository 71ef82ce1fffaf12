/** The page Embeddings: digits find their places in a plane, under a loss each. */
import { region, showCode } from "../shell/code.ts";
import { count, element, make, paintDigit, percent } from "../shell/dom.ts";
import { Frames } from "../shell/frames.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings } from "../shell/settings.ts";
import { onTheme } from "../shell/theme.ts";
import type job from "./job.ts";
import type { View } from "./job.ts";
import source from "./job.ts?raw";
import lossSource from "./losses.ts?raw";
import { LOSS_NAMES, LOSSES, type LossName } from "./names.ts";
import { Plane } from "./plane.ts";
import "./style.css";

const PLACES = ["first", "second", "third", "fourth"] as const;
/** The least time between two looks at the nets, in milliseconds. */
const PAUSE = 90;

/** Frames of all places: a chooser, a plane, what there is to say. */
const frames = PLACES.map((name, k) => {
  const select = make("select", { id: name, name });
  if (k >= 2) select.append(make("option", { value: "none" }, "nothing"));
  select.append(...LOSS_NAMES.map((value) => make("option", { value }, LOSSES[value].title)));
  const label = make("label", { htmlFor: name }, `Loss ${k + 1}`);
  const plane = new Plane(() => labels);
  const accuracy = make("b", { id: `${name}-accuracy` }, "–");
  const text = make("span");
  const figure = make("figure", {}, label, select, plane.canvas);
  const caption = make("figcaption", {}, accuracy, " right. ", text);
  figure.append(caption);
  element("planes").append(figure);
  return { name, plane, accuracy, text, caption };
});

const settings = new Settings(element("settings", HTMLFormElement), {
  first: choice("softmax", LOSS_NAMES),
  second: choice("center", LOSS_NAMES),
  third: choice("A-Softmax", ["none", ...LOSS_NAMES]),
  fourth: choice("ArcFace", ["none", ...LOSS_NAMES]),
  hidden: number(128, { min: 16, max: 256, integer: true }),
  rate: number(0.002, { min: 0, max: 1 }),
  seed: number(1, { min: 0, max: 9999, integer: true }),
});

for (let digit = 0; digit < 10; digit++) {
  const swatch = make("span", { className: "swatch" });
  swatch.style.background = `var(--digit-${digit})`;
  element("legend").append(make("li", {}, swatch, String(digit)));
}

let labels: ArrayLike<number> = [];
const which = element("which", HTMLInputElement);
const places = () => frames.filter(({ name }) => settings.values[name] !== "none");

function paint(): void {
  for (const { plane } of places()) plane.paint(Number(which.value));
}

let isGliding = false;
function glide(): void {
  const moving = places().map(({ plane }) => plane.glide());
  paint();
  isGliding = moving.includes(true);
  if (isGliding) requestAnimationFrame(glide);
}

function showViews(found: readonly View[]): void {
  places().forEach(({ name, plane, accuracy }, k) => {
    plane.lead(found[k].points);
    accuracy.textContent = percent(found[k].accuracy);
    const title = LOSSES[settings.values[name] as LossName].title;
    plane.canvas.setAttribute(
      "aria-label",
      `${title}: 1,000 digits in a plane, ${percent(found[k].accuracy)} told right`,
    );
  });
  if (!isGliding) glide();
}

const looks = new Frames(async () => {
  const { run } = runner;
  if (!run || labels.length === 0) return false;
  const found = await run.call("views");
  if (run !== runner.run) return false;
  showViews(found);
  await new Promise((go) => setTimeout(go, PAUSE));
  return runner.phase === "training";
});

/** Shows the picture of the digit that is marked. */
async function showMarked(): Promise<void> {
  const i = Number(which.value);
  if (!isGliding) paint();
  if (!runner.run || labels.length === 0) return;
  const pixels = await runner.run.call("picture", i);
  if (i !== Number(which.value)) return;
  paintDigit(element("picture", HTMLCanvasElement), pixels);
  element("marked").textContent = `Number ${i}, a ${labels[i]}`;
}

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings() {
    const { hidden, rate, seed } = settings.values;
    const losses = places().map(({ name }) => settings.values[name] as LossName);
    return { losses, hidden, rate, seed };
  },
  onRestart() {
    for (const { name, plane, accuracy, text, caption } of frames) {
      const value = settings.values[name];
      plane.lead(null);
      plane.canvas.hidden = caption.hidden = value === "none";
      accuracy.textContent = "–";
      if (value !== "none") text.textContent = LOSSES[value].text;
    }
    paint();
  },
  onEvent(event) {
    if (event.event === "note") {
      ({ labels } = event.note);
      showViews(event.note.views);
      looks.wake();
      void showMarked().catch(() => {});
    }
    if (event.event !== "step") return;
    runner.say(`Step ${count(event.step)}, epoch ${event.epoch + 1}`);
  },
  onPhase: () => looks.wake(),
});

which.addEventListener("input", () => void showMarked().catch(() => {}));
for (const { plane } of frames) {
  const hear = (event: MouseEvent) => {
    const found = plane.nearest(event);
    if (found === null || found === Number(which.value)) return;
    which.value = String(found);
    void showMarked().catch(() => {});
  };
  plane.canvas.addEventListener("pointermove", hear);
  plane.canvas.addEventListener("pointerdown", hear);
  new ResizeObserver(() => paint()).observe(plane.canvas);
}

onTheme(paint);
settings.onChange((values, changed) => {
  if ([...changed].some((name) => name !== "rate")) void runner.restart();
  else void runner.run?.set({ learningRate: values.rate }).catch(() => {});
});
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that trains all nets");
showCode(element("pairs"), region(lossSource, "pairs"), "The losses of pairs and triplets");
