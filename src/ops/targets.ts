import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { cast } from "./cast.ts";

/** Checks outputs and targets of one shape and gives the targets in the outputs' dtype. */
export function matched(op: string, y: Tensor, target: Tensor): Tensor {
  checkTensors(op, [y, target]);
  // Broadcasting here would hide the mistake of [n] against [n, 1].
  if (!sameShape(y.shape, target.shape)) {
    throw new ShapeError(
      `${op}: outputs ${formatShape(y.shape)} with targets ${formatShape(target.shape)}; ` +
        "expected equal shapes",
    );
  }
  expectDType(`${op}: outputs have dtype`, y.dtype, "float");
  return cast(target, y.dtype);
}

/** Gives the labels as i32; throws unless they are integers of shape `[n]`. */
export function labelsOf(op: string, labels: Tensor, n: number, each = "example"): Tensor {
  checkTensors(op, [labels]);
  expectDType(`${op}: labels have dtype`, labels.dtype, "integer");
  if (!sameShape(labels.shape, [n])) {
    throw new ShapeError(
      `${op}: labels ${formatShape(labels.shape)}; expected [${n}], one for each ${each}`,
    );
  }
  return cast(labels, "i32");
}
