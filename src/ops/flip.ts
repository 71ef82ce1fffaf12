import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, normalizeAxes } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { flatten, orderedAxes } from "./axes.ts";
import { reshape, transpose } from "./reshape.ts";
import { concat, type Range, slice } from "./slice.ts";

/** The axes that an op works along. */
export interface AxesOptions {
  axis?: number | readonly number[];
}

/** The names of `AxesOptions`. */
const AXES: Known<AxesOptions> = { axis: "number" };

/**
 * Reverses the order of the elements along axes, all when none is given. No elements are copied.
 * @throws ShapeError for axes that are not there or repeat.
 * @example await flip(tensor([1, 2, 3])).toArray(); // [3, 2, 1]
 */
export function flip(x: Tensor, options: AxesOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("flip", options, AXES, surplus);
  checkTensors("flip", [x]);
  return reversed(x, normalizeAxes("flip", options.axis, x.rank));
}

function reversed(x: Tensor, axes: readonly number[]): Tensor {
  const ranges = x.shape.map((_, axis): Range => (axes.includes(axis) ? { step: -1 } : {}));
  return slice(x, ranges);
}

/**
 * Moves the elements along axes by `shift` places, those that leave at the end coming in at the
 * front: y[i] = x[(i − shift) mod n], as NumPy's `roll` does. Without an axis all elements,
 * row-major, move.
 * @param shift an integer, backwards when negative: one for all axes, or one for each.
 * @throws ShapeError for others, and for axes that are not there.
 * @example await roll(tensor([1, 2, 3, 4]), 1).toArray(); // [4, 1, 2, 3]
 */
export function roll(
  x: Tensor,
  shift: number | readonly number[],
  options: AxesOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("roll", options, AXES, surplus);
  checkTensors("roll", [x]);
  const isWhole = options.axis === undefined;
  const axes = isWhole ? [0] : [options.axis ?? []].flat();
  const shifts: readonly number[] = Array.isArray(shift) ? shift : axes.map(() => shift as number);
  if (shifts.length !== axes.length || !shifts.every(Number.isSafeInteger)) {
    throw new ShapeError(
      `roll: shift ${quote(shift)} for ${isWhole ? "all elements" : `axes ${formatShape(axes)}`}; ` +
        "expected an integer, or one for each axis",
    );
  }
  if (isWhole) return reshape(rollAxis(flatten(x), shifts[0], 0), x.shape);
  return orderedAxes("roll", axes, x.rank).reduce((y, axis, i) => rollAxis(y, shifts[i], axis), x);
}

function rollAxis(x: Tensor, shift: number, axis: number): Tensor {
  const n = x.shape[axis];
  const middle = n === 0 ? 0 : ((-shift % n) + n) % n; // where the first element comes from
  const part = (range: Range) =>
    slice(
      x,
      x.shape.map((_, i) => (i === axis ? range : {})),
    );
  return middle === 0
    ? slice(x, [])
    : concat([part({ start: middle }), part({ end: middle })], { axis });
}

/** Options of `rot90`. */
export interface RotateOptions {
  /** The plane: it is turned from its first axis towards its second; `[0, 1]` when left out. */
  axis?: readonly [number, number];
}

const ROTATE: Known<RotateOptions> = { axis: "number" };

/**
 * Turns a plane by 90° as often as is said, as NumPy's `rot90` does. No elements are copied.
 * @param times an integer, in the other direction when negative.
 * @throws ShapeError for others, and for axes that are not two of x's.
 * @example await rot90(tensor([[1, 2], [3, 4]])).toArray(); // [[2, 4], [1, 3]]
 */
export function rot90(
  x: Tensor,
  times = 1,
  options: RotateOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("rot90", options, ROTATE, surplus);
  checkTensors("rot90", [x]);
  checkEach("rot90", { times }, Number.isSafeInteger, "an integer", ShapeError);
  const { axis = [0, 1] } = options;
  if (!Array.isArray(axis) || axis.length !== 2) {
    throw new ShapeError(`rot90: axis ${quote(axis)}; expected two axes`);
  }
  const [from, to] = orderedAxes("rot90", axis, x.rank);
  const turns = ((times % 4) + 4) % 4;
  if (turns === 0) return slice(x, []);
  if (turns === 2) return reversed(x, [from, to]);
  return reversed(transpose(x, from, to), [turns === 1 ? from : to]);
}
