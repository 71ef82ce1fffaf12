import { isFloat } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { oneHot } from "../ops/creation.ts";
import { checkClasses } from "./cross-entropy.ts";

/** Checks scores `[n, c]` and gives targets, labels `[n]` or floats `[n, c]`, as floats `[n, c]`. */
export function spreadClasses(op: string, scores: Tensor, targets: Tensor): Tensor {
  checkClasses(op, scores, targets);
  const { dtype, shape } = scores;
  return isFloat(targets.dtype) ? cast(targets, dtype) : oneHot(targets, shape[1], { dtype });
}

/** Sums over all axes but the first: one number for each example. */
export function sumExamples(op: string, terms: Tensor): Tensor {
  if (terms.rank === 0) throw new ShapeError(`${op}: a scalar; expected examples along axis 0`);
  return terms.rank === 1 ? terms : sum(terms, { axis: terms.shape.map((_, i) => i).slice(1) });
}

/** Throws a `GradusError` unless an option is a finite number in [low, high]. */
export function checkRange(
  op: string,
  name: string,
  value: number,
  low: number,
  high = Number.MAX_VALUE,
): void {
  if (value >= low && value <= high) return;
  const range = high === Number.MAX_VALUE ? `a finite number from ${low}` : `${low} to ${high}`;
  throw new GradusError(`${op}: ${name} ${value}; expected ${range}`);
}

/** Throws a `ShapeError` unless there is one weight for each of c classes. */
export function checkClassWeights(op: string, name: string, weights: Tensor, c: number): void {
  if (sameShape(weights.shape, [c])) return;
  throw new ShapeError(`${op}: ${name} ${formatShape(weights.shape)}; expected [${c}]`);
}
