import { compile, gather, type Tensor, tensor } from "gradus";
import type { DeviceDataset } from "gradus/data";
import { rank1 } from "gradus/metrics";
import type { Sequential } from "gradus/nn";
import { PIXELS } from "../embeddings/distorted.ts";
import { drawTrials, type Recognition, recognise, summary } from "../embeddings/trials.ts";
import type { Characters } from "./class-batches.ts";
import { deslantAll } from "./deslant.ts";
import type { StandardRun } from "./omniglot.ts";

/** Which digits are trained on, and which are only ever seen in trials. */
export interface Digits {
  readonly known: readonly number[];
  readonly unseen: readonly number[];
}

/** What is asked for; and what settings are chosen by, none of those being looked at. */
export const DIGITS: Record<"test" | "validation", Digits> = {
  test: { known: [0, 1, 2, 3, 4, 5, 6], unseen: [7, 8, 9] },
  validation: { known: [0, 1, 2, 6], unseen: [3, 4, 5] },
};

/** Gives those of the training images that show a known digit. */
export async function knownDigits(data: DeviceDataset, { known }: Digits): Promise<Characters> {
  const { pixels, shown } = await imagesWith(data, known);
  const labels = Int32Array.from(shown, (digit) => known.indexOf(digit));
  return { pixels, labels, classes: known.length };
}

/** Gives the images that show some digits, one after the other, and what each shows. */
async function imagesWith({ images, labels }: DeviceDataset, wanted: readonly number[]) {
  const [bytes, digits] = [await images.data(), await labels.data()];
  const rows = [...digits.keys()].filter((row) => wanted.includes(digits[row]));
  const pixels = new Uint8Array(rows.length * PIXELS);
  for (const [i, row] of rows.entries()) {
    pixels.set(bytes.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
  }
  return { pixels, shown: rows.map((row) => digits[row]) };
}

/** The shares recognised of what is asked, both ways in the same trials. */
export interface OneShotResult {
  /** By the nearest image as it is. */
  readonly pixels: Recognition;
  readonly embeddings: Recognition;
}

/** Recognises unseen digits of the test set, set upright, by one example of each. */
export async function tryDigits(
  model: Sequential,
  testData: DeviceDataset,
  { unseen }: Digits,
  trials: number,
): Promise<OneShotResult> {
  const tried = { digits: unseen, queries: 5, trials, seed: 1 };
  const { pixels, shown } = await imagesWith(testData, unseen);
  const drawn = await drawTrials(shown, tried);
  using images = imagesOf(pixels);
  using upright = imagesOf(deslantAll(pixels));
  using embeddings = await embed(model, upright);
  return {
    pixels: await recognise(images, drawn, tried),
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

/** Gives images of 784 bytes, one after the other, as f32 `[n, 784]` in [0, 1]. */
export function imagesOf(bytes: Uint8Array): Tensor {
  const values = Float32Array.from(bytes, (x) => x / 255);
  return tensor(values, { shape: [bytes.length / PIXELS, PIXELS] });
}
