import { checkEach, checkOptions, describeValue, isInteger } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import { keyFromSeed, permutation } from "../core/random.ts";
import { Tensor } from "../graph/tensor.ts";
import { checkDataset } from "./checks.ts";
import type { Dataset } from "./dataset.ts";
import { Subset } from "./subset.ts";

/** How `splitDataset` and `kFold` choose examples. */
export interface SplitOptions {
  /** Chooses at random (the default), else takes the parts one after the other. */
  shuffle?: boolean;
  /** Non-negative integer that fixes the choice; 0 when left out. */
  seed?: number;
  /**
   * The class of each example, of any kind, such as texts or `await labels.data()`: every part then
   * has the classes in the whole's shares.
   */
  stratify?: ArrayLike<string | number | boolean | bigint>;
}

/** One of the ways in which `kFold` divides a data set. */
export interface DatasetFold<B> {
  readonly train: Subset<B>;
  readonly validation: Subset<B>;
}

/**
 * Divides a data set into parts without copying it; each keeps the order of the whole. Sizes are the
 * shares of all examples, rounded by largest remainders; with `stratify` a class's number in a part
 * is off by less than two.
 * @param shares numbers above 0 by name, with the sum 1.
 * @throws GradusError for other shares, a bad seed or what is no class, ShapeError for a part without
 * examples or a `stratify` of another length.
 * @example const { train, test } = splitDataset(dataset, { train: 0.8, test: 0.2 }, { seed: 1 });
 */
export function splitDataset<B, P extends Readonly<Record<string, number>>>(
  dataset: Dataset<B>,
  shares: P,
  options: SplitOptions = {},
): { [K in keyof P]: Subset<B> } {
  checkDataset("splitDataset", dataset);
  const sizes = partSizes("splitDataset", dataset.size, shares, "examples");
  const parts = deal("splitDataset", dataset.size, sizes, options);
  const subsets = Object.keys(shares).map((name, i) => [name, new Subset(dataset, parts[i])]);
  return Object.fromEntries(subsets);
}

/**
 * Divides a data set into k parts of sizes that differ by one at most, and gives for each of them
 * the part for validation and the others for training.
 * @param k an integer from 2 to the number of examples.
 * @throws GradusError for another k, a bad seed or what is no class, ShapeError for a `stratify` of
 * another length.
 * @example
 * for (const { train, validation } of kFold(dataset, 5, { seed: 1 })) {
 *   console.log(train.size, validation.size);
 * }
 */
export function kFold<B>(
  dataset: Dataset<B>,
  k: number,
  options: SplitOptions = {},
): DatasetFold<B>[] {
  checkDataset("kFold", dataset);
  const { size } = dataset;
  checkEach("kFold", { k }, (x) => isInteger(x, 2, size), `an integer from 2 to ${size}`);
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

/**
 * Checks shares of n things, which messages call `things`, and gives their sizes, rounded by largest
 * remainders. Throws as `splitDataset` does.
 */
export function partSizes(
  op: string,
  n: number,
  shares: Readonly<Record<string, number>>,
  things: string,
): number[] {
  if (typeof shares !== "object" || shares === null) {
    throw new GradusError(`${op}: shares ${describeValue(shares)}; expected numbers by name`);
  }
  const values = Object.values(shares);
  const total = values.reduce((a, b) => a + b, 0);
  if (!values.every((share) => share > 0) || !(Math.abs(total - 1) < 1e-9)) {
    throw new GradusError(
      `${op}: shares ${list(values)} with the sum ${quote(total)}; ` +
        "expected numbers above 0 with the sum 1",
    );
  }
  const sizes = roundShares(values, n);
  const empty = sizes.indexOf(0);
  if (empty < 0) return sizes;
  throw new ShapeError(
    `${op}: a share of ${values[empty]} of ${n} ${things}; expected at least one`,
  );
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
  options: SplitOptions,
): Uint32Array[] {
  checkOptions<SplitOptions>(op, options, { shuffle: "boolean", seed: "number", stratify: true });
  const { shuffle = true, seed = 0, stratify } = options;
  const key = keyFromSeed(seed, op);
  const order = shuffle ? permutation(key, n) : Uint32Array.from({ length: n }, (_, i) => i);
  if (stratify === undefined) {
    let end = 0;
    return sizes.map((size) => {
      end += size;
      return order.slice(end - size, end).sort();
    });
  }
  const classes = classNumbers(op, stratify, n);
  const byClass = [...order].sort((a, b) => classes[a] - classes[b]);
  const parts: number[][] = sizes.map(() => []);
  for (const [place, example] of byClass.entries()) {
    parts[behind(parts, sizes, (place + 1) / n)].push(example);
  }
  return parts.map((part) => Uint32Array.from(part).sort());
}

/**
 * The part that lacks most of its share of what was dealt so far, this example included: all parts
 * lack one together, so it is not full.
 */
function behind(parts: readonly number[][], sizes: readonly number[], dealt: number): number {
  let most = Number.NEGATIVE_INFINITY;
  let found = 0;
  for (const [i, size] of sizes.entries()) {
    const lacks = size * dealt - parts[i].length;
    if (lacks <= most) continue;
    most = lacks;
    found = i;
  }
  return found;
}

/** Kinds of classes, in the order in which their classes are numbered. */
const KINDS = ["number", "bigint", "boolean", "string"];

/** What names a class. */
type ClassName = NonNullable<SplitOptions["stratify"]>[number];

/** Below 0 where a class comes before another, by kind and then as `<` orders them; 0 for the same. */
function compare(a: ClassName, b: ClassName): number {
  if (a === b) return 0;
  return KINDS.indexOf(typeof a) - KINDS.indexOf(typeof b) || (a < b ? -1 : 1);
}

/** Numbers the classes of examples, in order. */
function classNumbers(op: string, stratify: ArrayLike<unknown>, n: number): Uint32Array {
  const isList = typeof stratify === "object" && Number.isSafeInteger(stratify?.length);
  if (!isList) {
    throw new GradusError(
      `${op}: stratify ${describeValue(stratify)}; expected the class of each example in an array` +
        (stratify instanceof Tensor ? ". Give await labels.data()" : ""),
    );
  }
  if (stratify.length !== n) {
    throw new ShapeError(`${op}: ${stratify.length} classes to stratify; expected ${n}`);
  }
  const labels = Array.from(stratify) as ClassName[];
  for (const [i, label] of labels.entries()) {
    if (KINDS.includes(typeof label) && !Number.isNaN(label)) continue;
    throw new GradusError(
      `${op}: class ${describeValue(label)} of example ${i}; ` +
        "expected a text, a number other than NaN, or a boolean",
    );
  }
  // Sorted, for a Set or a Map of the labels holds 2²⁴ at the most.
  const order = Uint32Array.from(labels.keys()).sort((i, j) => compare(labels[i], labels[j]));
  const numbers = new Uint32Array(n);
  for (let i = 1; i < n; i++) {
    const [label, before] = [labels[order[i]], labels[order[i - 1]]];
    numbers[order[i]] = numbers[order[i - 1]] + Number(label !== before);
  }
  return numbers;
}
