/** The page Home: a network that learns two spirals, beside what the library is. */
import type job from "./home-job.ts";
import source from "./home-job.ts?raw";
import "./home.css";
import { paintField, paintPoints } from "./shell/canvas.ts";
import { region, showCode } from "./shell/code.ts";
import { count, element } from "./shell/dom.ts";
import { Frames } from "./shell/frames.ts";
import { planeData } from "./shell/plane-data.ts";
import { Runner } from "./shell/run.ts";
import { onTheme } from "./shell/theme.ts";

const SIDE = 64;
const { points, labels } = planeData("spirals", 240, { noise: 0.015, seed: 1 });
const canvas = element("surface", HTMLCanvasElement);
let values: ArrayLike<number> = new Float32Array(SIDE * SIDE);

function paint(): void {
  paintField(canvas, values, SIDE);
  paintPoints(canvas, points, labels);
}

const frames = new Frames(async () => {
  const { run } = runner;
  if (!run) return false;
  values = (await run.call("surface")) as Float32Array;
  paint();
  return runner.phase === "training";
});

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./home-job.ts", import.meta.url), { type: "module" }),
  settings: () => ({ side: SIDE }),
  onEvent(event) {
    if (event.event !== "step") return;
    element("step").textContent = count(event.step);
    element("loss").textContent = event.loss.toFixed(3);
  },
  onReady: () => frames.wake(),
  onPhase: () => frames.wake(),
});

paint();
onTheme(paint);
new ResizeObserver(paint).observe(canvas);
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that trains");
showCode(
  element("install"),
  "npm run build\nnpm pack\nnpm install ../gradus/gradus-0.1.0.tgz",
  "The commands that install it",
);
