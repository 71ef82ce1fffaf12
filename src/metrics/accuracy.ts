import { checkSurplus } from "../core/check.ts";
import { is, isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { cast } from "../ops/cast.ts";
import { equal } from "../ops/compare.ts";
import { argmax, mean } from "../ops/reduce.ts";
import { unlessNaN } from "./nan-rows.ts";

/**
 * Says for each example whether its largest logit (the first of equal ones) is the right class. An
 * example with NaN among its logits or targets is wrong.
 * @param logits `[n, c]`; probabilities serve as well.
 * @param labels integers `[n]`, or float one-hot or soft targets `[n, c]`.
 * @returns a bool tensor `[n]`.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 */
export function correct(logits: Tensor, labels: Tensor, ...surplus: never[]): Tensor {
  checkSurplus("correct(logits, labels)", surplus);
  return decisions("correct", logits, labels);
}

function decisions(op: string, logits: Tensor, labels: Tensor): Tensor {
  checkTensors(op, [logits, labels]);
  if (is(labels.dtype, "bool")) {
    throw new DTypeError(
      `${op}: labels have dtype ${labels.dtype}; expected integers or float targets`,
    );
  }
  const [n, c] = logits.shape;
  const shape = isFloat(labels.dtype) ? [n, c] : [n];
  if (logits.rank !== 2 || !sameShape(labels.shape, shape)) {
    throw new ShapeError(
      `${op}: logits ${formatShape(logits.shape)} with ${labels.dtype} labels ` +
        `${formatShape(labels.shape)}; expected [n, c] with integers [n] or floats [n, c]`,
    );
  }
  const truth = isFloat(labels.dtype) ? argmax(labels, { axis: 1 }) : cast(labels, "i32");
  const right = unlessNaN(equal(argmax(logits, { axis: 1 }), truth), logits);
  return isFloat(labels.dtype) ? unlessNaN(right, labels) : right;
}

/**
 * Computes the share of examples whose largest logit is the right class, a scalar in [0, 1].
 * Arguments and errors are those of `correct`.
 * @example await accuracy(model.call(images), labels).item();
 */
export function accuracy(logits: Tensor, labels: Tensor, ...surplus: never[]): Tensor {
  checkSurplus("accuracy(logits, labels)", surplus);
  return mean(cast(decisions("accuracy", logits, labels), "f32"));
}
