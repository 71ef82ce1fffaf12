import { describeValue } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { checkTensors, Tensor } from "../graph/tensor.ts";

/** Throws unless there is an array of at least one tensor, and of nothing else. */
export function checkTensorList(op: string, tensors: readonly Tensor[]): void {
  if (Array.isArray(tensors) && tensors.length > 0) {
    checkTensors(op, tensors);
    return;
  }
  const given = Array.isArray(tensors) ? "no tensors" : describeValue(tensors);
  const advice = (tensors as unknown) instanceof Tensor ? `. Did you mean ${op}([a, b])?` : "";
  throw new ShapeError(`${op}: ${given}; expected an array of at least one tensor${advice}`);
}
