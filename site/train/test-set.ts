import { readIdx } from "gradus/data";
import type { DigitFiles } from "../shell/mnist.ts";
import type { Mistake, TestReport } from "./protocol.ts";

/** How many mistakes are shown. */
const SHOWN = 24;

/** Test images and labels on the host. */
export interface TestSet {
  /** [n · 784], 0 (paper) to 255 (ink). */
  readonly images: Uint8Array;
  /** [n], 0 to 9. */
  readonly labels: Uint8Array;
}

/** Reads the files of the test set. */
export function readTestSet(files: DigitFiles): TestSet {
  const images = readIdx(files.images).data as Uint8Array;
  return { images, labels: readIdx(files.labels).data as Uint8Array };
}

/** Compares probabilities [n, 10] with the labels. */
export function judge(
  probabilities: Float32Array,
  { images, labels }: TestSet,
): Omit<TestReport, "kind" | "step"> {
  const count = labels.length;
  const mistakes: Omit<Mistake, "pixels">[] = [];
  let loss = 0;
  for (let index = 0; index < count; index++) {
    const row = probabilities.subarray(index * 10, (index + 1) * 10);
    const label = labels[index];
    const predicted = largest(row);
    loss -= Math.log(Math.max(row[label], 2 ** -126)) / count;
    if (predicted !== label) {
      mistakes.push({ index, label, predicted, probability: row[predicted] });
    }
  }
  const wrong = mistakes.length;
  mistakes.sort((a, b) => b.probability - a.probability);
  const shown = mistakes.slice(0, SHOWN).map((mistake) => ({
    ...mistake,
    pixels: images.slice(mistake.index * 784, (mistake.index + 1) * 784),
  }));
  return { loss, accuracy: (count - wrong) / count, count, wrong, mistakes: shown };
}

/** The position of the largest value, the first of equal ones. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
