import { l2Normalize } from "gradus";
import type { DeviceDataset } from "gradus/data";
import { CosFace } from "gradus/losses";
import { DistortedImages, type Distortion, orient, PIXELS } from "./distorted.ts";
import { EmbeddingNetwork } from "./network.ts";
import { everyRow } from "./plane.ts";
import { type TrainingOptions, trainEmbeddings } from "./training.ts";
import { drawTrials, type Recognition, recognise, type TrialOptions } from "./trials.ts";

/** The digits that are trained on; the others are only ever seen in trials. */
const KNOWN = 7;
/** In how many ways an image can be turned and mirrored. */
const WAYS = 8;

/** How the embedding is trained and tried. */
export interface OneShotOptions extends TrainingOptions {
  readonly hidden: number;
  readonly features: number;
  readonly scale: number;
  readonly margin: number;
  readonly distortion: Distortion;
  readonly tried: TrialOptions;
}

/** The settings of the command. */
export const ONE_SHOT = {
  hidden: 256,
  features: 64,
  scale: 16,
  margin: 0.2,
  epochs: 1,
  batchSize: 128,
  learningRate: 0.002,
  distortion: { turn: 0.2, stretch: 0.15, slant: 0.2, shift: 2 },
  tried: { digits: [7, 8, 9], queries: 5, trials: 1000, seed: 1 },
};

/** The share of test images recognised from one example a class, both ways in the same trials. */
export interface OneShotResult {
  readonly pixels: Recognition;
  readonly embeddings: Recognition;
  readonly seconds: number;
}

/** Trains on the digits 0 to 6 and recognises others by the nearest example of the test set. */
export async function oneShot(
  { trainData, testData }: { trainData: DeviceDataset; testData: DeviceDataset },
  options: OneShotOptions,
): Promise<OneShotResult> {
  const { scale, margin, tried } = options;
  const known = await knownImages(trainData, options);
  using model = new EmbeddingNetwork(
    { ...options, classes: KNOWN * WAYS },
    (features, classes, given) => new CosFace(features, classes, { ...given, scale, margin }),
    options.seed,
  );
  const began = performance.now();
  await trainEmbeddings(model, known, options);
  const seconds = (performance.now() - began) / 1000;
  const trials = await drawTrials(await testData.labels.data(), tried);
  using batch = testData.batch(everyRow(testData));
  using embeddings = l2Normalize(model.embed(batch.images));
  return {
    pixels: await recognise(batch.images, trials, tried),
    embeddings: await recognise(embeddings, trials, tried),
    seconds,
  };
}

/**
 * The training images of the known digits, distorted anew each time. Image i is turned or mirrored
 * in the way i mod 8, and each way of a digit is a class of its own: what tells 56 figures apart
 * tells more of a new one than what tells seven.
 */
async function knownImages(
  { images, labels }: DeviceDataset,
  { distortion, seed }: OneShotOptions,
): Promise<DistortedImages> {
  const [bytes, digits] = [await images.data(), await labels.data()];
  const rows = [...digits.keys()].filter((row) => digits[row] < KNOWN);
  const pixels = new Uint8Array(rows.length * PIXELS);
  for (const [i, row] of rows.entries()) {
    const source = bytes.subarray(row * PIXELS, (row + 1) * PIXELS);
    orient(source, i % WAYS, pixels.subarray(i * PIXELS, (i + 1) * PIXELS));
  }
  const classes = Int32Array.from(rows, (row, i) => digits[row] + KNOWN * (i % WAYS));
  return new DistortedImages(pixels, classes, distortion, seed);
}
