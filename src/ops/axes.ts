import { isInteger } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, normalizeAxis, type Shape, sizeOf } from "../core/shape.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { permute, reshape } from "./reshape.ts";

/** The axes that are given in their order, counted from the front. */
export function orderedAxes(op: string, given: number | readonly number[], rank: number): number[] {
  const axes = [given].flat().map((axis) => normalizeAxis(op, axis, rank));
  if (new Set(axes).size === axes.length) return axes;
  throw new ShapeError(`${op}: axes ${formatShape(axes)} repeat; expected each axis once`);
}

/**
 * Moves axes to other places and leaves the others in their order, as NumPy's `moveaxis` does. No
 * elements are copied.
 * @param from an axis, or several.
 * @param to where each of them is in the result. Negative ones count from the end.
 * @throws ShapeError for axes that are not there, that repeat, or not as many of each.
 * @example moveAxis(zeros([2, 3, 4]), 0, -1).shape; // [3, 4, 2]
 */
export function moveAxis(
  x: Tensor,
  from: number | readonly number[],
  to: number | readonly number[],
  ...surplus: never[]
): Tensor {
  checkArguments("moveAxis(x, from, to)", [x], surplus);
  const [sources, targets] = [from, to].map((axes) => orderedAxes("moveAxis", axes, x.rank));
  if (sources.length !== targets.length) {
    throw new ShapeError(
      `moveAxis: axes ${formatShape(sources)} to ${formatShape(targets)}; expected as many of each`,
    );
  }
  const rest = [...x.shape.keys()].filter((axis) => !sources.includes(axis));
  const order = x.shape.map((_, axis) => {
    const i = targets.indexOf(axis);
    return i < 0 ? (rest.shift() as number) : sources[i];
  });
  return permute(x, order);
}

/**
 * Joins neighbouring axes to one, all when none are given, as PyTorch's `flatten` does; a scalar
 * becomes `[1]`.
 * @param first the first axis that is joined.
 * @param last the last one. Negative ones count from the end.
 * @throws ShapeError for axes that are not there, or not in order.
 * @example flatten(zeros([2, 3, 4]), 1).shape; // [2, 12]
 */
export function flatten(x: Tensor, first = 0, last = -1, ...surplus: never[]): Tensor {
  checkArguments("flatten(x, first, last)", [x], surplus);
  const rank = Math.max(1, x.rank);
  const [from, to] = [first, last].map((axis) => normalizeAxis("flatten", axis, rank));
  if (from > to) {
    throw new ShapeError(`flatten: axes ${from} to ${to}; expected the first not behind the last`);
  }
  const { shape } = x;
  const size = sizeOf(shape.slice(from, to + 1));
  return reshape(x, [...shape.slice(0, from), size, ...shape.slice(to + 1)]);
}

/**
 * Splits an axis into several, as PyTorch's `unflatten` does.
 * @param axis counted from the end when negative.
 * @param sizes of the axes that take its place; one may be -1 and is worked out.
 * @throws ShapeError for an axis that is not there, and sizes that do not multiply to its own.
 * @example unflatten(zeros([2, 12]), 1, [3, -1]).shape; // [2, 3, 4]
 */
export function unflatten(x: Tensor, axis: number, sizes: Shape, ...surplus: never[]): Tensor {
  checkArguments("unflatten(x, axis, sizes)", [x], surplus);
  const own = normalizeAxis("unflatten", axis, x.rank);
  const n = x.shape[own];
  const target = Array.isArray(sizes) ? resolveSizes(sizes, n) : null;
  if (!target) {
    throw new ShapeError(
      `unflatten: sizes ${quote(sizes)} for axis ${own} of ${formatShape(x.shape)}; expected ` +
        `integers whose product is ${n}, at most one of them -1`,
    );
  }
  return reshape(x, [...x.shape.slice(0, own), ...target, ...x.shape.slice(own + 1)]);
}

/** The sizes with what stands for -1, or null where they do not multiply to n. */
function resolveSizes(sizes: Shape, n: number): Shape | null {
  const free = sizes.indexOf(-1);
  const others = sizeOf(sizes.filter((_, i) => i !== free));
  const target = sizes.map((size, i) => (i === free ? n / others : size));
  return target.every((size) => isInteger(size, 0)) && sizeOf(target) === n ? target : null;
}
