import type { Tensor } from "../graph/tensor.ts";
import { equal, logicalAnd, logicalNot } from "../ops/compare.ts";
import { eye } from "../ops/creation.ts";
import { expandDims } from "../ops/reshape.ts";

/** Larger than any distance, and finite in f32. */
export const ENDLESS = 3e38;

/** Which pairs of a batch are what, each `[n, n]`: an example with itself is neither. */
export interface LabelPairs {
  /** Different examples of one class. */
  readonly positive: Tensor;
  /** Examples of different classes. */
  readonly negative: Tensor;
}

/** The pairs of a batch with labels `[n]`, as bools. */
export function labelPairs(labels: Tensor): LabelPairs {
  const same = equal(expandDims(labels, 1), expandDims(labels, 0));
  return {
    positive: logicalAnd(same, logicalNot(withItself(labels))),
    negative: logicalNot(same),
  };
}

/** Where an example of n meets itself, `[n, n]`. */
export function withItself({ shape: [n], device }: Tensor): Tensor {
  return eye(n, n, { dtype: "bool", device });
}
