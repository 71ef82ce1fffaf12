import { checkOptions } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { silu } from "./activations.ts";
import { mul } from "./arithmetic.ts";
import { checkDomain } from "./domain.ts";
import { AXIS, type AxisOptions } from "./rows.ts";
import { type Range, slice } from "./slice.ts";
import { sigmoid } from "./unary.ts";

/** The two halves of an axis, the last when left out. */
function halves(
  op: string,
  x: Tensor,
  options: AxisOptions,
  surplus: readonly unknown[],
): [Tensor, Tensor] {
  checkOptions(op, options, AXIS, surplus);
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  const axis = normalizeAxis(op, options.axis ?? -1, x.rank);
  const n = x.shape[axis];
  if (n % 2 !== 0) {
    throw new ShapeError(
      `${op}: shape ${formatShape(x.shape)} has ${n} elements along axis ${axis}; ` +
        "expected an even number",
    );
  }
  const part = (range: Range) => slice(x, [...new Array<Range>(axis).fill({}), range]);
  return [part({ end: n / 2 }), part({ start: n / 2 })];
}

/**
 * Computes a · σ(b) of the two halves of an axis, the last when left out: a gated linear unit.
 * @throws ShapeError for an axis that is not there or whose size is odd, DTypeError unless x holds
 * floats.
 * Source: Dauphin, Fan, Auli, Grangier 2017, "Language modeling with gated convolutional networks",
 * eq. 1.
 * @example await glu(tensor([3, 0])).toArray(); // [1.5]
 */
export function glu(x: Tensor, options: AxisOptions = {}, ...surplus: never[]): Tensor {
  const [a, b] = halves("glu", x, options, surplus);
  return mul(a, sigmoid(b));
}

/**
 * Computes a · σ(a) · b of the two halves of an axis, the last when left out: what passes is gated
 * by the first half, that of `glu` by the second.
 * @throws ShapeError for an axis that is not there or whose size is odd, DTypeError unless x holds
 * floats.
 * Source: Shazeer 2020, "GLU variants improve transformer", section 2.
 * @example await swiglu(tensor([0, 3])).toArray(); // [0]
 */
export function swiglu(x: Tensor, options: AxisOptions = {}, ...surplus: never[]): Tensor {
  const [a, b] = halves("swiglu", x, options, surplus);
  return mul(silu(a), b);
}
