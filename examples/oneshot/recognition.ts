import { compile, gather, type Tensor, tensor } from "gradus";
import type { DeviceDataset } from "gradus/data";
import { rank1 } from "gradus/metrics";
import type { Sequential } from "gradus/nn";
import { PIXELS } from "../embeddings/distorted.ts";
import { drawTrials, type Recognition, recognise, summary } from "../embeddings/trials.ts";
import type { Characters } from "./class-batches.ts";
import type { StandardRun } from "./omniglot.ts";

/** The digits that are trained on; the others are only ever seen in trials. */
const KNOWN = 7;

/** Gives those of the training images that show a digit from 0 to 6. */
export async function knownDigits({ images, labels }: DeviceDataset): Promise<Characters> {
  const [bytes, digits] = [await images.data(), await labels.data()];
  const rows = [...digits.keys()].filter((row) => digits[row] < KNOWN);
  const pixels = new Uint8Array(rows.length * PIXELS);
  for (const [i, row] of rows.entries()) {
    pixels.set(bytes.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
  }
  return { pixels, labels: Int32Array.from(rows, (row) => digits[row]), classes: KNOWN };
}

/** The shares recognised of what is asked, both ways in the same trials. */
export interface OneShotResult {
  /** By the nearest image as it is. */
  readonly pixels: Recognition;
  readonly embeddings: Recognition;
}

/** Recognises the digits 7, 8 and 9 of the test set by one example of each. */
export async function tryDigits(
  model: Sequential,
  testData: DeviceDataset,
  trials: number,
): Promise<OneShotResult> {
  const tried = { digits: [7, 8, 9], queries: 5, trials, seed: 1 };
  const digits = await testData.labels.data();
  const rows = [...digits.keys()].filter((row) => digits[row] >= KNOWN);
  const drawn = await drawTrials(
    rows.map((row) => digits[row]),
    tried,
  );
  using batch = testData.batch(rows);
  using embeddings = await embed(model, batch.images);
  return {
    pixels: await recognise(batch.images, drawn, tried),
    embeddings: await recognise(embeddings, drawn, tried),
  };
}

/** Recognises what is asked in each standard run as the nearest of the characters shown. */
export async function tryRuns(
  model: Sequential,
  runs: readonly StandardRun[],
): Promise<OneShotResult> {
  const [byPixels, byEmbeddings]: number[][] = [[], []];
  for (const { shown, asked, answers } of runs) {
    using a = imagesOf(shown);
    using b = imagesOf(asked);
    using shownEmbeddings = await embed(model, a);
    using askedEmbeddings = await embed(model, b);
    using names = tensor(Uint32Array.from(answers.keys()));
    using wanted = tensor(answers);
    using pixelRate = rank1(b, wanted, a, names);
    using embeddingRate = rank1(askedEmbeddings, wanted, shownEmbeddings, names);
    byPixels.push(await pixelRate.item());
    byEmbeddings.push(await embeddingRate.item());
  }
  return { pixels: summary(byPixels), embeddings: summary(byEmbeddings) };
}

/** Images embedded at a time. */
const MOST = 500;

/** Gives the embeddings of images `[n, 784]`, computed in parts. */
export async function embed(model: Sequential, images: Tensor): Promise<Tensor> {
  const n = images.shape[0];
  const part = compile((rows: Tensor) => model.call(gather(images, rows)));
  const parts: Float32Array[] = [];
  for (let start = 0; start < n; start += MOST) {
    const length = Math.min(MOST, n - start);
    using rows = tensor(Uint32Array.from({ length }, (_, i) => start + i));
    using embeddings = await part(rows);
    parts.push((await embeddings.data()) as Float32Array);
  }
  part.dispose();
  const features = parts[0].length / Math.min(MOST, n);
  const all = new Float32Array(n * features);
  for (const [i, values] of parts.entries()) all.set(values, i * MOST * features);
  return tensor(all, { shape: [n, features] });
}

function imagesOf(bytes: Uint8Array): Tensor {
  const values = Float32Array.from(bytes, (x) => x / 255);
  return tensor(values, { shape: [bytes.length / PIXELS, PIXELS] });
}
