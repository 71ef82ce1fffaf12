import { checkOptions } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis, type Shape, sameShape, stridesOf } from "../core/shape.ts";
import { checkTensors, Tensor } from "../graph/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { canBroadcast, stretch } from "./broadcast.ts";
import { greaterEqual, less, logicalAnd } from "./compare.ts";
import { iota } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { checkedPlaces, gatherRows, sumRowsAt } from "./gather.ts";
import { overwriteRows } from "./overwrite.ts";
import { reshape } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";
import { numberLike } from "./scalar.ts";
import { where } from "./where.ts";

/** The axis, when x and indices have been checked. */
function checkAlong(
  op: string,
  x: Tensor,
  indices: Tensor,
  options: AxisOptions,
  surplus: readonly never[],
): number {
  checkOptions(op, options, AXIS, surplus);
  checkTensors(op, [x, indices]);
  expectDType(`${op}: indices have dtype`, indices.dtype, "index");
  return normalizeAxis(op, options.axis ?? -1, x.rank);
}

/**
 * Which elements of x, row-major, indices name along an axis, as i32 `[count]`, and -1 where they
 * are no places on it: each lies where its index does on the other axes.
 */
function placesAlong(op: string, { shape }: Tensor, indices: Tensor, axis: number): Tensor {
  const n = shape[axis];
  const index = checkedPlaces(op, indices, n);
  const strides = stridesOf(shape);
  let place = mul(index, strides[axis]);
  for (const [i, size] of indices.shape.entries()) {
    if (i === axis) continue;
    const own = reshape(
      iota(size, "i32", indices.device),
      indices.shape.map((_, k) => (k === i ? size : 1)),
    );
    place = add(place, mul(own, strides[i]));
  }
  const isInside = logicalAnd(greaterEqual(index, 0), less(index, n));
  return reshape(where(isInside, place, -1), [indices.size]);
}

/** The shape with another size on one axis. */
function resized(shape: Shape, axis: number, size: number): Shape {
  return shape.map((n, i) => (i === axis ? size : n));
}

/** Broadcasts indices, and x, to the same sizes on all axes but one. */
function broadcastAlong(op: string, x: Tensor, indices: Tensor, axis: number): [Tensor, Tensor] {
  const sizes = x.shape.map((n, i) => (n === 1 ? (indices.shape[i] ?? 1) : n));
  const fits = (given: Shape) => given.every((n, i) => i === axis || n === 1 || n === sizes[i]);
  if (indices.rank !== x.rank || !fits(indices.shape)) {
    throw new ShapeError(
      `${op}: indices ${formatShape(indices.shape)} for ${formatShape(x.shape)} along axis ${axis}; ` +
        "expected as many axes, the others equal or 1",
    );
  }
  return [
    stretch(x, resized(sizes, axis, x.shape[axis])),
    stretch(indices, resized(sizes, axis, indices.shape[axis])),
  ];
}

/**
 * Takes elements along an axis, the last when left out, that indices name for each place on the
 * other axes: y[i, j] = x[i, indices[i, j]], as NumPy's `take_along_axis` and PyTorch's `gather`
 * do. What `sort` and `argmax` give as indices finds its elements so.
 * @param indices i32 or u32 with as many axes as x; the others broadcast. Those outside `[0, n)`
 * give NaN (0 for dtypes without NaN) and no gradient; under `debug` they are an error.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const m = tensor([[3, 1], [2, 4]]);
 * await takeAlongAxis(m, argsort(m)).toArray(); // [[1, 3], [2, 4]]
 */
export function takeAlongAxis(
  x: Tensor,
  indices: Tensor,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  const axis = checkAlong("takeAlongAxis", x, indices, options, surplus);
  const [source, index] = broadcastAlong("takeAlongAxis", x, indices, axis);
  const places = placesAlong("takeAlongAxis", source, index, axis);
  return reshape(gatherRows(reshape(source, [source.size, 1]), places), index.shape);
}

/** Values of x's dtype in the indices' shape. */
function valuesFor(op: string, x: Tensor, given: Tensor | number, { shape }: Tensor): Tensor {
  if (!(given instanceof Tensor)) {
    return numberLike(op, { shape, dtype: x.dtype, device: x.device }, given);
  }
  checkSameDType(op, x, given);
  if (canBroadcast(given.shape, shape)) return stretch(given, shape);
  throw new ShapeError(
    `${op}: values ${formatShape(given.shape)} for indices ${formatShape(shape)}; expected values ` +
      "that broadcast to them",
  );
}

/** A function that changes elements which indices name. */
interface Writing {
  readonly op: string;
  /** What it takes. */
  readonly trait: "any" | "number";
  /** Changes rows of x, `[n, 1]`, at places `[count]` by values `[count, 1]`. */
  readonly write: (x: Tensor, places: Tensor, values: Tensor) => Tensor;
}

const PUT: Writing = { op: "putAlongAxis", trait: "any", write: overwriteRows };
const SCATTER: Writing = { ...PUT, op: "scatter" };
const SCATTER_ADD: Writing = {
  op: "scatterAdd",
  trait: "number",
  write: (x, places, values) => add(x, sumRowsAt(places, values, x.shape[0])),
};

function writeAlong(
  { op, write }: Writing,
  x: Tensor,
  indices: Tensor,
  values: Tensor | number,
  axis: number,
): Tensor {
  const fresh = valuesFor(op, x, values, indices);
  const places = placesAlong(op, x, indices, axis);
  const flat = write(reshape(x, [x.size, 1]), places, reshape(fresh, [indices.size, 1]));
  return reshape(flat, x.shape);
}

/**
 * Puts values in the place of elements along an axis, the last when left out, that indices name for
 * each place on the other axes: y = x, but y[i, indices[i, j]] = values[i, j], as NumPy's
 * `put_along_axis` does in place. Of several for one element the last stays.
 * @param indices i32 or u32 with as many axes as x; the others broadcast to x's. Those outside `[0,
 * n)` name nothing; under `debug` they are an error.
 * @param values a number, or a tensor of x's dtype that broadcasts to the indices' shape.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const places = tensor([2, 0], { dtype: "i32" });
 * await putAlongAxis(tensor([1, 2, 3]), places, 9).toArray(); // [9, 2, 9]
 */
export function putAlongAxis(
  x: Tensor,
  indices: Tensor,
  values: Tensor | number,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  const axis = checkAlong(PUT.op, x, indices, options, surplus);
  checkDomain(PUT.op, x.dtype, PUT.trait);
  const [source, index] = broadcastAlong(PUT.op, x, indices, axis);
  if (!sameShape(source.shape, x.shape)) {
    throw new ShapeError(
      `putAlongAxis: indices ${formatShape(indices.shape)} for ${formatShape(x.shape)} along axis ` +
        `${axis}; expected as many axes, the others equal or 1`,
    );
  }
  return writeAlong(PUT, x, index, values, axis);
}

/** Changes elements at indices that may be for the first places on the other axes only. */
function scatterBy(
  writing: Writing,
  x: Tensor,
  indices: Tensor,
  values: Tensor | number,
  options: AxisOptions,
  surplus: readonly never[],
): Tensor {
  const { op, trait } = writing;
  const axis = checkAlong(op, x, indices, options, surplus);
  checkDomain(op, x.dtype, trait);
  checkWithin(op, x, indices, axis);
  return writeAlong(writing, x, indices, values, axis);
}

/** Throws unless indices have x's axes, with at most its sizes on all but one. */
function checkWithin(op: string, x: Tensor, indices: Tensor, axis: number): void {
  const { shape } = indices;
  if (shape.length === x.rank && shape.every((n, i) => i === axis || n <= x.shape[i])) return;
  throw new ShapeError(
    `${op}: indices ${formatShape(shape)} for ${formatShape(x.shape)} along axis ${axis}; ` +
      "expected as many axes, the others at most as long",
  );
}

/**
 * Puts values in the place of elements that indices name along an axis, the last when left out, as
 * PyTorch's `scatter` does: y = x, but y[i, indices[i, j]] = values[i, j]. Unlike those of
 * `putAlongAxis`, indices may be for the first places on the other axes only. Of several for one
 * element the last stays.
 * @param indices i32 or u32 with as many axes as x, the others at most as long. Those outside `[0,
 * n)` name nothing; under `debug` they are an error.
 * @param values a number, or a tensor of x's dtype that broadcasts to the indices' shape.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const places = tensor([[1, 2]], { dtype: "i32" });
 * await scatter(zeros([2, 3]), places, 5).toArray(); // [[0, 5, 5], [0, 0, 0]]
 */
export function scatter(
  x: Tensor,
  indices: Tensor,
  values: Tensor | number,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  return scatterBy(SCATTER, x, indices, values, options, surplus);
}

/**
 * Adds values to elements that indices name along an axis, the last when left out, as PyTorch's
 * `scatter_add` does: y = x, and to y[i, indices[i, j]] is added values[i, j], in the order of j.
 * It is what gives `takeAlongAxis` its gradient.
 * @param indices i32 or u32 with as many axes as x, the others at most as long. Those outside `[0,
 * n)` name nothing; under `debug` they are an error.
 * @param values a number, or a tensor of x's dtype that broadcasts to the indices' shape.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const places = tensor([1, 1, 0], { dtype: "i32" });
 * await scatterAdd(zeros([2]), places, tensor([1, 2, 3])).toArray(); // [3, 3]
 */
export function scatterAdd(
  x: Tensor,
  indices: Tensor,
  values: Tensor | number,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  return scatterBy(SCATTER_ADD, x, indices, values, options, surplus);
}
