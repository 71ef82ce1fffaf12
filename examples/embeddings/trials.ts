import { compile, gather, randomUniform, type Tensor, tensor } from "gradus";
import { rank1 } from "gradus/metrics";

/** What is drawn in each trial. */
export interface TrialOptions {
  /** The classes to be told apart, each shown by one example. */
  readonly digits: readonly number[];
  /** Examples of each class to be recognised in a trial. */
  readonly queries: number;
  readonly trials: number;
  /** Fixes the examples of all trials. */
  readonly seed: number;
}

/** The share recognised, a mean over trials. */
export interface Recognition {
  readonly mean: number;
  readonly standardError: number;
}

/** The rows of one trial: an example of each class, and those to be recognised. */
export interface Trial {
  readonly shown: Uint32Array;
  readonly asked: Uint32Array;
}

/** Draws trials: in each one example a class, and others of the classes, each asked at random. */
export async function drawTrials(
  labels: ArrayLike<number>,
  { digits, queries, trials, seed }: TrialOptions,
): Promise<Trial[]> {
  const rows = digits.map((digit) =>
    [...Array(labels.length).keys()].filter((i) => labels[i] === digit),
  );
  const each = digits.length * (1 + queries);
  using numbers = randomUniform([trials * each], { seed });
  const drawn = await numbers.data();
  return Array.from({ length: trials }, (_, trial) => {
    const u = (i: number) => drawn[trial * each + i];
    const places = rows.map((own, k) => Math.floor(u(k) * own.length));
    const shown = rows.map((own, k) => own[places[k]]);
    const asked = rows.flatMap((own, k) =>
      Array.from({ length: queries }, (_, q) => {
        const apart = 1 + Math.floor(u(digits.length + k * queries + q) * (own.length - 1));
        return own[(places[k] + apart) % own.length]; // any but the one shown
      }),
    );
    return { shown: Uint32Array.from(shown), asked: Uint32Array.from(asked) };
  });
}

/** Recognises what is asked in each trial as the class of the nearest example shown. */
export async function recognise(
  vectors: Tensor,
  trials: readonly Trial[],
  { digits, queries }: TrialOptions,
): Promise<Recognition> {
  using shownLabels = tensor(Int32Array.from(digits.keys()));
  using askedLabels = tensor(
    Int32Array.from({ length: digits.length * queries }, (_, i) => Math.floor(i / queries)),
  );
  const rate = compile((shown: Tensor, asked: Tensor) =>
    rank1(gather(vectors, asked), askedLabels, gather(vectors, shown), shownLabels),
  );
  const rates: number[] = [];
  for (const { shown, asked } of trials) {
    using shownRows = tensor(shown);
    using askedRows = tensor(asked);
    using result = await rate(shownRows, askedRows);
    rates.push(await result.item());
  }
  rate.dispose();
  return summary(rates);
}

/** Gives the mean of rates and its standard error. */
export function summary(rates: readonly number[]): Recognition {
  const n = rates.length;
  const mean = rates.reduce((sum, x) => sum + x, 0) / n;
  const variance = rates.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  return { mean, standardError: Math.sqrt(variance / n) };
}
