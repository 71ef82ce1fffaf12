import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { type Key, neededKey } from "../core/random.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { batchIndicesOp } from "./batch-indices.ts";
import { zeros } from "./creation.ts";
import { checkStep } from "./domain.ts";

/** Where a permutation comes from. */
export interface PermutationAtOptions {
  /** A non-negative integer; the same seed gives the same order on every device. */
  seed?: number;
  /** A key, as `foldIn` derives them. */
  key?: Key;
}

const PERMUTATION: Known<PermutationAtOptions> = { seed: true, key: true };

/**
 * Draws a permutation of 0 … n − 1, u32 `[n]`, another one for each step, computed where the graph runs:
 * a pseudorandom bijection, of which docs/decisions/0003-shuffling-by-a-bijection.md tells.
 * @param step u32 scalar, such as a `State` that each step raises.
 * @throws DTypeError or ShapeError for another `step`; ShapeError unless n is an integer from 0 to
 * 2³² − 1; GradusError without seed and key.
 * @example gather(x, permutationAt(step, x.shape[0], { seed: 1 })); // rows in another order
 */
export function permutationAt(
  step: Tensor,
  n: number,
  options: PermutationAtOptions,
  ...surplus: never[]
): Tensor {
  checkOptions("permutationAt", options, PERMUTATION, surplus);
  checkStep("permutationAt", step);
  const holds = (x: unknown) => isInteger(x, 0, 2 ** 32 - 1);
  checkEach("permutationAt", { n }, holds, "an integer from 0 to 2^32 - 1", ShapeError);
  const key = neededKey("permutationAt", options);
  if (n === 0) return zeros([0], { dtype: "u32", device: step.device });
  const all = { size: n, batchSize: n, shuffle: true, replacement: false, stepsPerEpoch: 1 };
  return apply(batchIndicesOp, [step], { ...all, key });
}
