import { checkOptions, isInteger } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, normalizeAxis } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { reshape } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";
import { slice } from "./slice.ts";

/** The axis that is cut, when all that an op is given has been checked. */
function axisOf(op: string, x: Tensor, options: AxisOptions, surplus: readonly never[]): number {
  checkOptions(op, options, AXIS, surplus);
  checkTensors(op, [x]);
  return normalizeAxis(op, options.axis ?? 0, x.rank);
}

/** Parts of an axis that follow each other, of these sizes. */
function cut(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  let end = 0;
  return sizes.map((size) => {
    const start = end;
    end += size;
    return slice(
      x,
      x.shape.map((_, i) => (i === axis ? { start, end } : {})),
    );
  });
}

/**
 * Cuts an axis, the first when left out, into parts. No elements are copied.
 * @param parts how many equal ones, from 1, as in NumPy, or the size of each, of which one may be
 * -1 and is worked out.
 * @throws ShapeError for an axis that is not there, or that such parts do not fill. See `chunk`.
 * @example split(zeros([6, 2]), [1, 2, -1]).map(({ shape }) => shape); // [[1, 2], [2, 2], [3, 2]]
 */
export function split(
  x: Tensor,
  parts: number | readonly number[],
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor[] {
  const axis = axisOf("split", x, options, surplus);
  const n = x.shape[axis];
  const sizes = Array.isArray(parts) ? withRest(parts, n) : equalParts(parts as number, n);
  if (sizes.every((size) => isInteger(size, 0)) && totalOf(sizes) === n && sizes.length > 0) {
    return cut(x, sizes, axis);
  }
  throw new ShapeError(
    `split: ${quote(parts)} for axis ${axis} of ${formatShape(x.shape)}; expected a divisor of ` +
      `${n}, or sizes that add up to it, at most one of them -1`,
  );
}

function totalOf(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a + b, 0);
}

function equalParts(count: number, n: number): readonly number[] {
  return isInteger(count, 1, Math.max(1, n)) ? new Array(count).fill(n / count) : [];
}

/** The sizes with what stands for one -1. */
function withRest(sizes: readonly number[], n: number): readonly number[] {
  const free = sizes.indexOf(-1);
  return sizes.map((size, i) => (i === free ? n - totalOf(sizes) - 1 : size));
}

/**
 * Cuts an axis, the first when left out, into at most `count` parts of ⌈n / count⌉ elements, the
 * last of which may have fewer, as PyTorch's `chunk` does. No elements are copied.
 * @param count from 1.
 * @throws ShapeError for another count, and for an axis that is not there.
 * @example chunk(zeros([7]), 3).map(({ shape }) => shape); // [[3], [3], [1]]
 */
export function chunk(
  x: Tensor,
  count: number,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor[] {
  const axis = axisOf("chunk", x, options, surplus);
  if (!isInteger(count, 1)) {
    throw new ShapeError(`chunk: count ${quote(count)}; expected an integer from 1`);
  }
  const n = x.shape[axis];
  const size = Math.max(1, Math.ceil(n / count));
  const parts = Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) =>
    Math.min(size, n - i * size),
  );
  return cut(x, parts, axis);
}

/**
 * Gives what lies at each place of an axis, the first when left out, without that axis: the array
 * API's `unstack`. No elements are copied.
 * @throws ShapeError for an axis that is not there.
 * @example unbind(zeros([2, 3])).map(({ shape }) => shape); // [[3], [3]]
 */
export function unbind(x: Tensor, options: AxisOptions = {}, ...surplus: never[]): Tensor[] {
  const axis = axisOf("unbind", x, options, surplus);
  const parts = cut(x, new Array(x.shape[axis]).fill(1), axis);
  const shape = x.shape.filter((_, i) => i !== axis);
  return parts.map((part) => reshape(part, shape));
}
