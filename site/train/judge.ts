/** How a network does on the test examples. */

/** A test picture that the network takes for another class. */
export interface Mistake {
  /** Position in the test set. */
  readonly index: number;
  /** `[784]`, 0 (paper) to 255 (ink). */
  readonly pixels: Uint8Array;
  readonly label: number;
  readonly predicted: number;
  /** The probability given to the prediction. */
  readonly probability: number;
}

/** What was found. */
export interface Judgement {
  readonly count: number;
  /** In [0, 1]; of values the share of their variance that is explained, R². */
  readonly accuracy: number;
  /** How often class i was taken for class j, `[i][j]`; null for values. */
  readonly confusion: readonly (readonly number[])[] | null;
  readonly wrong: number;
  /** The most confident ones first. */
  readonly mistakes: readonly Mistake[];
}

/** Mistakes that are shown at most. */
export const MISTAKES_SHOWN = 24;

/** Compares probabilities `[n, classes]` with the labels. */
export function judge(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  pixels: Uint8Array | null,
): Judgement {
  const count = labels.length;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const mistakes: Omit<Mistake, "pixels">[] = [];
  for (let index = 0; index < count; index++) {
    const row = Array.from({ length: classes }, (_, c) => probabilities[index * classes + c]);
    const label = labels[index];
    const predicted = largest(row);
    confusion[label][predicted]++;
    if (predicted !== label) {
      mistakes.push({ index, label, predicted, probability: row[predicted] });
    }
  }
  const wrong = mistakes.length;
  mistakes.sort((a, b) => b.probability - a.probability);
  const shown = pixels
    ? mistakes.slice(0, MISTAKES_SHOWN).map((mistake) => ({
        ...mistake,
        pixels: pixels.slice(mistake.index * 784, (mistake.index + 1) * 784),
      }))
    : [];
  return { count, accuracy: (count - wrong) / count, confusion, wrong, mistakes: shown };
}

/** Compares values `[n]` with those wanted. */
export function judgeValues(values: ArrayLike<number>, wanted: ArrayLike<number>): Judgement {
  const count = wanted.length;
  const mean = Array.from(wanted).reduce((sum, x) => sum + x, 0) / count;
  let [error, spread] = [0, 0];
  for (let i = 0; i < count; i++) {
    error += (values[i] - wanted[i]) ** 2;
    spread += (wanted[i] - mean) ** 2;
  }
  return { count, accuracy: 1 - error / spread, confusion: null, wrong: 0, mistakes: [] };
}

/** The position of the largest value, the first of equal ones. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
