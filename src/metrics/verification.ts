import { checkOptions, checkWords } from "../core/check.ts";
import { expectDType, isFloat } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, readAll, type Tensor } from "../graph/tensor.ts";

/** What scores of pairs mean: small ones alike (`distance`) or large ones (`similarity`). */
export type ScoreKind = "distance" | "similarity";

/** Options of `verificationAccuracy`. */
export interface VerificationOptions {
  /** `distance` when left out. */
  kind?: ScoreKind;
}

/** The best decision about pairs by a threshold. */
export interface Verification {
  /** Share of pairs decided rightly, in [0.5, 1]. */
  readonly accuracy: number;
  /**
   * Pairs on its near side count as the same: halfway between two scores, or infinite where all
   * pairs are best taken for the same or all for different.
   */
  readonly threshold: number;
}

/**
 * Finds the threshold that tells pairs of the same identity best from others, and how many it tells
 * rightly (Huang et al. 2007, "Labeled faces in the wild"). Of equally good thresholds
 * it takes the one with the fewest pairs on the near side. Reads the scores.
 * @param scores `[n]`, f32 or f64, distances unless `kind` says otherwise, n from 1.
 * @param same `[n]`, whether each pair is the same: bools, or integers that are 0 for false.
 * @throws ShapeError or DTypeError for others, GradusError for an unknown kind or a score of NaN.
 * @example
 * const { accuracy, threshold } = await verificationAccuracy(distances, same);
 */
export async function verificationAccuracy(
  scores: Tensor,
  same: Tensor,
  options: VerificationOptions = {},
  ...surplus: never[]
): Promise<Verification> {
  const op = "verificationAccuracy";
  checkOptions<VerificationOptions>(op, options, { kind: "string" }, surplus);
  const { kind = "distance" } = options;
  check(scores, same, kind);
  const [values, truth] = await readAll(op, [scores, same]);
  if (values.some(Number.isNaN)) {
    throw new GradusError("verificationAccuracy: a score is NaN; expected numbers");
  }
  const near = kind === "distance" ? 1 : -1;
  const order = Array.from(values.keys()).sort((i, j) => near * (values[i] - values[j]));
  const { count, right } = bestSplit(order, values, truth);
  return {
    accuracy: right / order.length,
    threshold: between(values[order[count - 1]], values[order[count]], near),
  };
}

type Numbers = ArrayLike<number>;

/** How many of the nearest pairs to take for the same, and how many are then decided rightly. */
function bestSplit(order: readonly number[], values: Numbers, truth: Numbers) {
  let right = order.filter((i) => truth[i] === 0).length;
  let best = { count: 0, right };
  for (const [k, i] of order.entries()) {
    right += truth[i] === 0 ? -1 : 1;
    const tied = k + 1 < order.length && values[order[k + 1]] === values[i];
    if (!tied && right > best.right) best = { count: k + 1, right };
  }
  return best;
}

/** A number between the last score on the near side and the next, infinite where one is missing. */
function between(last: number | undefined, next: number | undefined, near: number): number {
  if (last === undefined) return -near * Number.POSITIVE_INFINITY;
  if (next === undefined) return near * Number.POSITIVE_INFINITY;
  return last + (next - last) / 2;
}

function check(scores: Tensor, same: Tensor, kind: ScoreKind): void {
  const op = "verificationAccuracy";
  checkWords(op, { kind }, ["distance", "similarity"]);
  checkTensors(op, [scores, same]);
  expectDType(`${op}: scores have dtype`, scores.dtype, "float");
  if (isFloat(same.dtype)) {
    throw new DTypeError(`${op}: same has dtype ${same.dtype}; expected bool or integers`);
  }
  if (scores.rank === 1 && scores.size > 0 && sameShape(scores.shape, same.shape)) return;
  throw new ShapeError(
    `${op}: scores ${formatShape(scores.shape)} with same ${formatShape(same.shape)}; ` +
      "expected [n] and [n], n from 1",
  );
}
