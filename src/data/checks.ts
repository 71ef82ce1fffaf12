import { checkEach, describeValue, isInteger } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { tracedArrayOf } from "../graph/traced-array.ts";

/**
 * Gives numbers of examples as u32; throws a `ShapeError` for one that a data set does not have. What a
 * compiled function brings is known in each call only: there `gather` gives NaN for such a number.
 */
export function checkIndices(op: string, indices: ArrayLike<number>, size: number): Uint32Array {
  if (tracedArrayOf(indices)) return indices as Uint32Array;
  if (typeof indices !== "object" || !Number.isSafeInteger(indices?.length)) {
    throw new GradusError(
      `${op}: ${describeValue(indices)}; expected an array of integers from 0 to ${size - 1}`,
    );
  }
  const numbers = new Uint32Array(indices.length);
  for (let i = 0; i < numbers.length; i++) {
    const example = indices[i];
    numbers[i] = example;
    // Only integers below 2³² come out as they went in.
    if (example === numbers[i] && example < size) continue;
    const given = describeValue(example);
    throw new ShapeError(`${op}: example ${given}; expected integers from 0 to ${size - 1}`);
  }
  return numbers;
}

/** Throws a `GradusError` unless something has examples in number, and gives batches of them. */
export function checkDataset(op: string, dataset: { size: number; batch: unknown }): void {
  const isObject = typeof dataset === "object" && dataset !== null;
  if (isObject && typeof dataset.batch === "function" && Number.isSafeInteger(dataset.size)) return;
  throw new GradusError(
    `${op}: data set ${describeValue(dataset)}; expected one with size and batch(indices)`,
  );
}

/** Throws unless numbers of examples are a tensor `[n]` of integers, as `gather` takes them. */
export function checkRows(op: string, indices: Tensor): void {
  checkTensors(op, [indices]);
  expectDType(`${op}: indices have dtype`, indices.dtype, "index");
  if (indices.rank !== 1) {
    throw new ShapeError(`${op}: indices ${formatShape(indices.shape)}; expected [n]`);
  }
}

/** Throws a `GradusError` unless numbers of steps or epochs are integers from 0 to 2³² − 1. */
export function checkCounter(op: string, counters: Readonly<Record<string, number>>): void {
  checkEach(op, counters, (n) => isInteger(n, 0, 2 ** 32 - 1), "an integer from 0 to 2^32 - 1");
}

/** Gives how many tokens there are; throws a `GradusError` unless they are integers from 0 to 2³¹ − 1. */
export function checkTokens(op: string, tokens: ArrayLike<number>): number {
  const isList = typeof tokens === "object" && Number.isSafeInteger(tokens?.length);
  if (!isList) {
    throw new GradusError(`${op}: tokens ${describeValue(tokens)}; expected an array of integers`);
  }
  for (let i = 0; i < tokens.length; i++) {
    if (isInteger(tokens[i], 0, 2 ** 31 - 1)) continue;
    const given = describeValue(tokens[i]);
    throw new GradusError(`${op}: token ${given}; expected integers from 0 to 2^31 - 1`);
  }
  return tokens.length;
}
