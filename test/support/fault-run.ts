/** The training run whose device fails, and what is right for it. */

import type { DeviceDataset } from "../../src/data/index.ts";
import {
  evaluate,
  init,
  matmul,
  setDefaultDevice,
  slice,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { saveCheckpoint } from "../../src/io/index.ts";
import { fromPixels } from "../../src/pictures/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { smallRun } from "./small-run.ts";

/** Steps of the first part, of going on, after a restore, and of a run that starts anew. */
export const STEPS = { first: 8, on: 4, restored: 2, anew: 3 };

/** The right values. */
export interface Right {
  readonly losses: readonly number[];
  /** The checkpoint after so many steps. */
  readonly files: readonly Uint8Array[];
  readonly eager: { readonly x: ArrayLike<number>; readonly sum: number };
}

export const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length === b.length && Array.prototype.every.call(a, (x, i) => Object.is(x, b[i]));

/** A model in training. */
export function makeRun() {
  const run = smallRun();
  const { model, optimizer, loss, loader } = run;
  const dataset = loader.dataset as DeviceDataset;
  const step = trainStep({
    model,
    optimizer,
    loss,
    batchAt: loader.batchAt as never,
    history: 32,
    stepsPerSubmit: 4,
  });
  const dispose = () => {
    step.dispose();
    for (const state of [...model.state().values(), ...optimizer.state().values()]) state.dispose();
    dataset.dispose();
  };
  return { model, optimizer, step, dispose };
}

export type Run = ReturnType<typeof makeRun>;

/** A picture that is drawn once. */
const picture = drawnOnce();

function drawnOnce(): OffscreenCanvas | null {
  if (typeof OffscreenCanvas !== "function") return null;
  const canvas = new OffscreenCanvas(3, 2);
  const pen = canvas.getContext("2d");
  for (let i = 0; i < 6; i++) {
    if (pen) pen.fillStyle = `rgb(${40 * i}, ${10 * i}, 7)`;
    pen?.fillRect(i % 3, i >> 1, 1, 1);
  }
  return canvas;
}

/** Two reads at once of one value, two of parts of another, and one of a picture. */
export async function eager(): Promise<Right["eager"]> {
  const a = tensor([[1, 2, 0], [3, 4.5, 1], [0.5, 2, 7]]); // biome-ignore format: a matrix
  const made: Tensor[] = [a];
  const keep = (x: Tensor) => made[made.push(x) - 1];
  try {
    const x = keep(matmul(a, a));
    evaluate(x);
    const reads = [x.data(), keep(sum(x)).item()] as const;
    await Promise.allSettled(reads);
    // Two kernels that differ by a number, which the second one reads from memory.
    const rows: ArrayLike<number>[] = [];
    for (const start of [1, 2]) rows.push(await keep(slice(a, [{ start, end: start + 1 }])).data());
    if (picture) rows.push(await keep(fromPixels(picture, { channels: 4 })).data());
    return { x: [await reads[0], ...rows].flatMap((all) => Array.from(all)), sum: await reads[1] };
  } finally {
    for (const x of made) x.dispose();
  }
}

export const isEager = (a: Right["eager"], b: Right["eager"]) => a.sum === b.sum && same(a.x, b.x);

/** Runs undisturbed, to see what is right after each step. */
export async function rightValues(): Promise<Right> {
  const { device } = await init({ device: "webgpu", tune: "off", isolated: true });
  setDefaultDevice(device);
  const run = makeRun();
  const files = [await saveCheckpoint(run)];
  const last = STEPS.first + STEPS.on + 2 * STEPS.restored; // where no restore succeeds
  for (let i = 0; i < last; i++) {
    await run.step();
    files.push(await saveCheckpoint(run));
  }
  const losses = (await run.step.read()).map(({ loss }) => loss);
  const values = { losses, files, eager: await eager() };
  device.dispose();
  return values;
}
