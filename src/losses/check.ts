import { MAKE_TENSOR } from "../core/advice.ts";
import { checkEach, checkSteps } from "../core/check.ts";
import { expectDType, is, isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, Tensor } from "../graph/tensor.ts";
import { cast } from "../ops/cast.ts";
import { classLabels } from "../ops/class-labels.ts";
import { equal, less, logicalAnd } from "../ops/compare.ts";
import { oneHot } from "../ops/creation.ts";
import { where } from "../ops/where.ts";

/** Throws unless logits and targets are such as `crossEntropy` takes. */
export function checkClasses(op: string, logits: Tensor, targets: Tensor): void {
  checkTensors(op, [logits, targets]);
  const { dtype } = targets;
  const isBool = is(dtype, "bool");
  const [n, c] = logits.shape;
  const shape = isFloat(dtype) ? [n, c] : [n];
  if (logits.rank === 2 && !isBool && sameShape(targets.shape, shape)) return;
  throw new (isBool ? DTypeError : ShapeError)(
    `${op}: logits ${formatShape(logits.shape)} with ${dtype} targets ` +
      `${formatShape(targets.shape)}; expected [n, c] with integers [n] or floats [n, c]`,
  );
}

/** Checks scores `[n, c]` and gives targets, labels `[n]` or floats `[n, c]`, as floats `[n, c]`. */
export function spreadClasses(op: string, scores: Tensor, targets: Tensor): Tensor {
  checkClasses(op, scores, targets);
  const { dtype, shape } = scores;
  if (isFloat(targets.dtype)) return cast(targets, dtype);
  return oneHot(classLabels(op, targets, shape[1]), shape[1], { dtype });
}

/** Below every logarithm of a number in f32. */
const LOWEST = -1e38;

/** Gives y with 0 for −∞ where t is 0, since a mask times nothing is nothing and 0 · −∞ is NaN. */
export function unmasked(t: Tensor, y: Tensor): Tensor {
  return where(logicalAnd(equal(t, 0), less(y, LOWEST)), 0, y);
}

/** The axes along which an example lies: all but the first. */
export function exampleAxes(op: string, x: Tensor): number[] {
  if (x.rank === 0) throw new ShapeError(`${op}: a scalar; expected examples along axis 0`);
  return x.shape.map((_, i) => i).slice(1);
}

/** Throws a `GradusError` unless an option is a finite number in [low, high]. */
export function checkRange(
  op: string,
  name: string,
  value: number,
  low: number,
  high = Number.MAX_VALUE,
): void {
  const holds = (x: unknown) => typeof x === "number" && x >= low && x <= high;
  const range = high === Number.MAX_VALUE ? `a finite number from ${low}` : `${low} to ${high}`;
  checkEach(op, { [name]: value }, holds, range);
}

/** Throws a `GradusError` unless an option that may be a tensor is one. */
export function checkTensorOption(op: string, name: string, value: unknown): void {
  const isTensor = (x: unknown) => x instanceof Tensor;
  checkEach(op, { [name]: value }, isTensor, `a tensor${MAKE_TENSOR}`);
}

/** Throws unless there is one weight for each of c classes. */
export function checkClassWeights(op: string, name: string, weights: Tensor, c: number): void {
  checkTensorOption(op, name, weights);
  if (sameShape(weights.shape, [c])) return;
  throw new ShapeError(`${op}: ${name} ${formatShape(weights.shape)}; expected [${c}]`);
}

/** Throws unless `x` holds floats of shape `[n, …]` with as many axes as the names given. */
export function checkMatrix(op: string, name: string, x: Tensor, columns: string): void {
  checkTensors(op, [x]);
  expectDType(`${op}: ${name} have dtype`, x.dtype, "float");
  if (x.rank === 2) return;
  throw new ShapeError(`${op}: ${name} ${formatShape(x.shape)}; expected [n, ${columns}]`);
}

/** Throws unless all have the shape `[n, features]` of the first. */
export function checkEmbeddings(op: string, all: readonly Tensor[]): void {
  checkTensors(op, all);
  for (const x of all) checkMatrix(op, "embeddings", x, "features");
  if (all.every((x) => sameShape(x.shape, all[0].shape))) return;
  const shapes = all.map((x) => formatShape(x.shape)).join(", ");
  throw new ShapeError(`${op}: embeddings ${shapes}; expected equal shapes`);
}

/** Throws a `GradusError` unless a margin is an angle from 0 and below π. */
export function checkArcMargin(op: string, margin: number): void {
  const holds = (x: unknown) => typeof x === "number" && x >= 0 && x < Math.PI;
  checkEach(op, { margin }, holds, "a number from 0 and below π");
}

/** Throws a `GradusError` unless an angle can be multiplied with `margin`. */
export function checkMultiplier(op: string, margin: number): void {
  checkSteps(op, { margin });
}
