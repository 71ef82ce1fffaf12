import { checkOptions, type Known } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sameShape, sizeOf, stridesOf } from "../core/shape.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { watch } from "../graph/watch.ts";
import { add, mul } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { greaterEqual, less, logicalAnd } from "./compare.ts";
import { full } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { gatherRows, sumRowsAt } from "./gather.ts";
import { overwriteRows } from "./overwrite.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { where } from "./where.ts";

/** Slices of a tensor that indices name by places on its first axes. */
interface Slices {
  /** The tensor as `[rows, columns]`: a row for each place on these axes. */
  readonly rows: Tensor;
  /** The row of each index, i32 `[count]`; -1 where there is none. */
  readonly places: Tensor;
  /** Axes of the indices but the last, then the tensor's axes behind the first. */
  readonly shape: Shape;
}

function slicesAt(op: string, x: Tensor, indices: Tensor): Slices {
  expectDType(`${op}: indices have dtype`, indices.dtype, "index");
  const depth = indices.shape[indices.rank - 1];
  if (indices.rank === 0 || depth > x.rank) {
    throw new ShapeError(
      `${op}: indices ${formatShape(indices.shape)} for ${formatShape(x.shape)}; expected ` +
        `[..., k] with k from 0 to ${x.rank}`,
    );
  }
  const outer = indices.shape.slice(0, -1);
  const count = sizeOf(outer);
  const [named, rest] = [x.shape.slice(0, depth), x.shape.slice(depth)];
  const strides = stridesOf(named);
  const flat = reshape(cast(indices, "i32"), [count, depth]);
  const { device } = x;
  let place = full([count], 0, { dtype: "i32", device });
  let isInside = full([count], 1, { dtype: "bool", device });
  for (const [axis, n] of named.entries()) {
    const column = reshape(slice(flat, [{}, { start: axis, end: axis + 1 }]), [count]);
    const index = watch ? watch.indices(op, column, n) : column;
    place = add(place, mul(index, strides[axis]));
    isInside = logicalAnd(isInside, logicalAnd(greaterEqual(index, 0), less(index, n)));
  }
  return {
    rows: reshape(x, [sizeOf(named), sizeOf(rest)]),
    places: where(isInside, place, -1),
    shape: [...outer, ...rest],
  };
}

/**
 * Takes slices that indices name by a place on each of the first k axes, as TensorFlow's
 * `gather_nd` does: `[…, k]` gives `[…, rest]`, where the rest are x's axes behind these.
 * @param indices i32 or u32. Those outside give NaN (0 for dtypes without NaN) and no gradient;
 * under `debug` they are an error.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const m = tensor([[1, 2], [3, 4]]);
 * await gatherND(m, tensor(new Int32Array([0, 1, 1, 0]), { shape: [2, 2] })).toArray(); // [2, 3]
 */
export function gatherND(x: Tensor, indices: Tensor, ...surplus: never[]): Tensor {
  checkArguments("gatherND(x, indices)", [x, indices], surplus);
  const { rows, places, shape } = slicesAt("gatherND", x, indices);
  return reshape(gatherRows(rows, places), shape);
}

/** Options of `scatterND`. */
export interface ScatterNDOptions {
  /** Whether values are added to what is there; false when left out. */
  add?: boolean;
}

const SCATTER: Known<ScatterNDOptions> = { add: "boolean" };

/**
 * Puts values in the place of slices that indices name by a place on each of the first k axes, or
 * adds them: TensorFlow's `tensor_scatter_nd_update` and `tensor_scatter_nd_add`, and with zeros as
 * x its `scatter_nd`. Of several for one slice the last stays; sums are in their order.
 * @param indices i32 or u32 `[…, k]`. Those outside name nothing; under `debug` they are an error.
 * @param values `[…, rest]` of x's dtype.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const places = tensor(new Int32Array([2, 0]), { shape: [2, 1] });
 * await scatterND(zeros([3]), places, tensor([5, 6])).toArray(); // [6, 0, 5]
 */
export function scatterND(
  x: Tensor,
  indices: Tensor,
  values: Tensor,
  options: ScatterNDOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("scatterND", options, SCATTER, surplus);
  checkTensors("scatterND", [x, indices, values]);
  checkDomain("scatterND", x.dtype, options.add ? "number" : "any");
  checkSameDType("scatterND", x, values);
  const { rows, places, shape } = slicesAt("scatterND", x, indices);
  if (!sameShape(values.shape, shape)) {
    throw new ShapeError(
      `scatterND: values ${formatShape(values.shape)} for indices ${formatShape(indices.shape)}; ` +
        `expected ${formatShape(shape)}`,
    );
  }
  const flat = reshape(values, [places.size, rows.shape[1]]);
  const y = options.add
    ? add(rows, sumRowsAt(places, flat, rows.shape[0]))
    : overwriteRows(rows, places, flat);
  return reshape(y, x.shape);
}
