import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { normalizeAxis } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { sub } from "./arithmetic.ts";
import { checkDomain } from "./domain.ts";
import { AXIS, type AxisOptions } from "./rows.ts";
import { type Range, slice } from "./slice.ts";

/** Options of `diff`. */
export interface DiffOptions extends AxisOptions {
  /** How often differences are taken, from 0; 1 when left out. */
  times?: number;
}

const DIFF: Known<DiffOptions> = { ...AXIS, times: true };

/**
 * Takes the differences of neighbours along an axis, the last when left out: yᵢ = xᵢ₊₁ − xᵢ, as
 * NumPy's `diff` does. The axis has one element less each time, down to none.
 * @throws ShapeError for an axis that is not there and `times` that are no such integer; DTypeError
 * for bools.
 * @example await diff(tensor([1, 4, 9])).toArray(); // [3, 5]
 */
export function diff(x: Tensor, options: DiffOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("diff", options, DIFF, surplus);
  checkTensors("diff", [x]);
  checkDomain("diff", x.dtype, "number");
  const axis = normalizeAxis("diff", options.axis ?? -1, x.rank);
  const { times = 1 } = options;
  checkEach("diff", { times }, (n) => isInteger(n, 0), "an integer from 0", ShapeError);
  const n = x.shape[axis];
  const part = (y: Tensor, range: Range) =>
    slice(
      y,
      x.shape.map((_, i) => (i === axis ? range : {})),
    );
  if (times >= n) return part(x, { end: 0 });
  let y = part(x, {});
  for (let i = 0; i < times; i++) y = sub(part(y, { start: 1 }), part(y, { end: -1 }));
  return y;
}
