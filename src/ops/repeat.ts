import { checkOptions, isInteger } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { checkShape, formatShape, normalizeAxis } from "../core/shape.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { flatten } from "./axes.ts";
import { stretch } from "./broadcast.ts";
import { tensor } from "./creation.ts";
import { gather } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";

const isCount = (n: unknown) => isInteger(n, 0);

/**
 * Repeats a tensor as a whole along its axes, as NumPy's `tile` and PyTorch's `Tensor.repeat` do.
 * @param counts how often along each axis, from 0; where there are fewer than axes, the last axes
 * are meant, and where there are more, new axes come in front.
 * @throws ShapeError for others.
 * @example await tile(tensor([1, 2]), [3]).toArray(); // [1, 2, 1, 2, 1, 2]
 */
export function tile(x: Tensor, counts: readonly number[], ...surplus: never[]): Tensor {
  checkArguments("tile(x, counts)", [x], surplus);
  if (!Array.isArray(counts) || !counts.every(isCount)) {
    throw new ShapeError(`tile: counts ${quote(counts)}; expected an array of integers from 0`);
  }
  const rank = Math.max(x.rank, counts.length);
  const ones = (n: number) => new Array<number>(n).fill(1);
  const sizes = [...ones(rank - x.rank), ...x.shape];
  const times = [...ones(rank - counts.length), ...counts];
  // Each axis is one of repeats, and the axis itself.
  const target = checkShape(
    "tile",
    times.flatMap((count, axis) => [count, sizes[axis]]),
  );
  const apart = reshape(
    x,
    sizes.flatMap((n) => [1, n]),
  );
  return reshape(
    stretch(apart, target),
    times.map((count, axis) => count * sizes[axis]),
  );
}

/**
 * Repeats each element along an axis, as NumPy's `repeat` and PyTorch's `repeat_interleave` do; of
 * all elements, row-major, when no axis is given.
 * @param counts how often, from 0: a number for all, or one for each place on the axis.
 * @throws ShapeError for others, and for an axis that is not there.
 * @example await repeatInterleave(tensor([1, 2]), 3).toArray(); // [1, 1, 1, 2, 2, 2]
 */
export function repeatInterleave(
  x: Tensor,
  counts: number | readonly number[],
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("repeatInterleave", options, AXIS, surplus);
  checkTensors("repeatInterleave", [x]);
  const whole = options.axis === undefined ? flatten(x) : x;
  const axis = normalizeAxis("repeatInterleave", options.axis ?? 0, whole.rank);
  const n = whole.shape[axis];
  const each: readonly number[] = Array.isArray(counts) ? counts : [counts as number];
  if (!each.every(isCount) || (Array.isArray(counts) && each.length !== n)) {
    throw new ShapeError(
      `repeatInterleave: counts ${quote(counts)} for axis ${axis} of ${formatShape(whole.shape)}; ` +
        `expected an integer from 0, or ${n} of them`,
    );
  }
  if (Array.isArray(counts)) {
    const places = Int32Array.from(each.flatMap((count, i) => new Array<number>(count).fill(i)));
    return gather(whole, tensor(places, { device: x.device }), { axis });
  }
  const [before, after] = [whole.shape.slice(0, axis + 1), whole.shape.slice(axis + 1)];
  const target = checkShape("repeatInterleave", [...before, each[0], ...after]);
  const apart = stretch(reshape(whole, [...before, 1, ...after]), target);
  return reshape(apart, [...before.slice(0, -1), n * each[0], ...after]);
}
