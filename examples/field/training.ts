import { compile, type Tensor, tensor } from "gradus";
import { BatchSampler, type TensorBatch, TensorDataset } from "gradus/data";
import { meanSquaredError } from "gradus/losses";
import type { Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { trainStep } from "gradus/train";
import { type FieldOptions, field } from "./network.ts";
import type { Pixels } from "./picture.ts";

/** What fixes a run. */
export interface Settings extends FieldOptions {
  readonly steps: number;
  /** Pixels in each step. */
  readonly batchSize: number;
  /** Adam's at the first step; it falls to 0 along a cosine. */
  readonly learningRate: number;
}

/** How far a run has come. */
export interface Progress {
  readonly step: number;
  /** The mean squared error of the steps since the last report. */
  readonly loss: number;
  /** Peak signal-to-noise ratio of the whole picture, in decibels. */
  readonly psnr: number;
}

/** What a run gave. */
export interface FieldResult {
  readonly model: Sequential;
  readonly history: readonly Progress[];
  readonly step: number;
}

/** Steps between two reports. */
export const EVERY = 100;

/** Trains a field on the pixels of a picture. */
export async function trainField(
  pixels: Pixels,
  settings: Settings,
  options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<FieldResult> {
  const { steps, batchSize, learningRate, seed } = settings;
  const data = datasetOf(pixels);
  const model = field(settings);
  const schedule = cosineDecay(learningRate, { steps });
  const optimizer = new Adam(model.parameters(), { learningRate: schedule });
  const sampler = new BatchSampler({ size: data.size, batchSize, seed, dropLast: true });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { coordinates, colours }: PixelBatch) =>
      meanSquaredError(net.call(coordinates), colours),
    batchAt: (number) => data.batchAt(number, sampler),
  });
  const history: Progress[] = [];
  while (step.next < steps && !options.signal?.aborted) {
    await step();
    if (step.next % EVERY !== 0 && step.next !== steps) continue;
    const losses = (await step.read()).map(({ loss }) => loss);
    const loss = losses.reduce((sum, x) => sum + x, 0) / losses.length;
    const psnr = psnrOf(await paint(model, pixels), pixels.colours);
    history.push({ step: step.next, loss, psnr });
    options.onProgress?.({ step: step.next, loss, psnr });
  }
  const made = step.next;
  for (const held of [step, optimizer, data]) held.dispose();
  return { model, history, step: made };
}

type PixelBatch = TensorBatch<"coordinates" | "colours">;

function datasetOf({ size, coordinates, colours }: Pixels) {
  return new TensorDataset({
    coordinates: tensor(coordinates, { shape: [size * size, 2] }),
    colours: tensor(colours, { shape: [size * size, 3] }),
  });
}

/** Points painted at a time. */
const MOST = 4096;

/** Gives the colours of a field at points, three numbers each. */
export async function paint(
  model: Sequential,
  { coordinates }: Pick<Pixels, "coordinates">,
): Promise<Float32Array<ArrayBuffer>> {
  const points = coordinates.length / 2;
  const colours = new Float32Array(points * 3);
  const colour = compile((x: Tensor) => model.call(x));
  for (let start = 0; start < points; start += MOST) {
    const part = coordinates.subarray(2 * start, 2 * (start + MOST));
    using x = tensor(part, { shape: [part.length / 2, 2] });
    using y = await colour(x);
    colours.set(await y.data(), 3 * start);
  }
  colour.dispose();
  return colours;
}

/** Gives −10 log₁₀ of the mean squared error of colours in [0, 1], in decibels. */
export function psnrOf(given: ArrayLike<number>, expected: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < expected.length; i++) sum += (given[i] - expected[i]) ** 2;
  return -10 * Math.log10(sum / expected.length);
}
