import { GradusError, ShapeError } from "../core/errors.ts";
import { keyFromSeed, permutation } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";
import { Subset } from "./subset.ts";

/** How `split` and `kFold` choose examples. */
export interface SplitOptions {
  /** Chooses at random (the default), else takes the parts one after the other. */
  shuffle?: boolean;
  /** Non-negative integer that fixes the choice; 0 when left out. */
  seed?: number;
  /** The class of each example: every part then has the classes in the whole's shares. */
  stratify?: ArrayLike<number>;
}

/** One of the ways in which `kFold` divides a data set. */
export interface Fold<B extends Disposable> {
  readonly train: Subset<B>;
  readonly validation: Subset<B>;
}

/**
 * Divides a data set into parts without copying it; each keeps the order of the whole. Sizes are the
 * shares of all examples, rounded by largest remainders; with `stratify` a class's number in a part
 * is off by less than two.
 * @param shares numbers above 0 by name, with the sum 1.
 * @throws GradusError for other shares or a bad seed, ShapeError for a part without examples or a
 * `stratify` of another length.
 * @example const { train, test } = split(dataset, { train: 0.8, test: 0.2 }, { seed: 1 });
 */
export function split<B extends Disposable, P extends Readonly<Record<string, number>>>(
  dataset: Dataset<B>,
  shares: P,
  options: SplitOptions = {},
): { [K in keyof P]: Subset<B> } {
  const values = Object.values(shares);
  const total = values.reduce((a, b) => a + b, 0);
  if (!values.every((share) => share > 0) || !(Math.abs(total - 1) < 1e-9)) {
    throw new GradusError(
      `split: shares ${values.join(", ")} with the sum ${total}; ` +
        "expected numbers above 0 with the sum 1",
    );
  }
  const sizes = roundShares(values, dataset.size);
  const empty = sizes.indexOf(0);
  if (empty >= 0) {
    throw new ShapeError(
      `split: a share of ${values[empty]} of ${dataset.size} examples; expected at least one`,
    );
  }
  const parts = deal("split", dataset.size, sizes, options);
  const subsets = Object.keys(shares).map((name, i) => [name, new Subset(dataset, parts[i])]);
  return Object.fromEntries(subsets);
}

/**
 * Divides a data set into k parts of sizes that differ by one at most, and gives for each of them
 * the part for validation and the others for training.
 * @param k an integer from 2 to the number of examples.
 * @throws GradusError for another k or a bad seed, ShapeError for a `stratify` of another length.
 * @example for (const { train, validation } of kFold(dataset, 5, { seed: 1 })) …
 */
export function kFold<B extends Disposable>(
  dataset: Dataset<B>,
  k: number,
  options: SplitOptions = {},
): Fold<B>[] {
  const { size } = dataset;
  if (!Number.isSafeInteger(k) || k < 2 || k > size) {
    throw new GradusError(`kFold: k ${k}; expected an integer from 2 to ${size}`);
  }
  const sizes = Array.from({ length: k }, (_, i) => Math.floor(size / k) + (i < size % k ? 1 : 0));
  const parts = deal("kFold", size, sizes, options);
  return parts.map((part) => {
    const rest = parts.filter((other) => other !== part).flatMap((other) => [...other]);
    return {
      train: new Subset(dataset, Uint32Array.from(rest).sort()),
      validation: new Subset(dataset, part),
    };
  });
}

/** Whole numbers with the sum n nearest to the shares: what is left goes to the largest remainders. */
function roundShares(shares: readonly number[], n: number): number[] {
  const sizes = shares.map((share) => Math.floor(share * n));
  const left = n - sizes.reduce((a, b) => a + b, 0);
  const order = shares
    .map((share, i) => ({ i, remainder: share * n - sizes[i] }))
    .sort((a, b) => b.remainder - a.remainder);
  for (const { i } of order.slice(0, left)) sizes[i]++;
  return sizes;
}

/** Gives every number below n to one of parts of given sizes with the sum n, in ascending order. */
function deal(
  op: string,
  n: number,
  sizes: readonly number[],
  { shuffle = true, seed = 0, stratify }: SplitOptions,
): Uint32Array[] {
  const key = keyFromSeed(seed, op);
  const order = shuffle ? permutation(key, n) : Uint32Array.from({ length: n }, (_, i) => i);
  if (!stratify) {
    const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b));
    return sizes.map((size, i) => order.slice(ends[i] - size, ends[i]).sort());
  }
  if (stratify.length !== n) {
    throw new ShapeError(`${op}: ${stratify.length} classes to stratify; expected ${n}`);
  }
  const byClass = [...order].sort((a, b) => stratify[a] - stratify[b]);
  const parts: number[][] = sizes.map(() => []);
  for (const [place, example] of byClass.entries())
    parts[behind(parts, sizes, place)].push(example);
  return parts.map((part) => Uint32Array.from(part).sort());
}

/** The part that lacks most of its share of the first `place` + 1 examples, and is not full. */
function behind(parts: readonly number[][], sizes: readonly number[], place: number): number {
  const n = sizes.reduce((a, b) => a + b);
  const lacks = sizes.map((size, i) => (size * (place + 1)) / n - parts[i].length);
  const open = sizes.map((size, i) => (parts[i].length < size ? lacks[i] : -n));
  return open.indexOf(Math.max(...open));
}
