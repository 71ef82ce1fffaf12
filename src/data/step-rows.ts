import { checkEach } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { batchIndices } from "../ops/batch-indices.ts";
import type { BatchSampler } from "./sampler.ts";

/** The numbers of a step's examples; throws `ShapeError` for a sampler of another size. */
export function stepRows(op: string, size: number, step: Tensor, sampler: BatchSampler): Tensor {
  const isObject = typeof sampler === "object" && sampler !== null;
  checkEach(op, { sampler }, () => isObject, "a BatchSampler");
  if (sampler.size !== size) {
    throw new ShapeError(
      `${op}: a sampler of ${sampler.size} examples for ${size}; expected the same size`,
    );
  }
  return batchIndices(step, sampler);
}
