import { checkOptions } from "../core/check.ts";
import { expectDType, isFloat } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis, sizeOf } from "../core/shape.ts";
import { Position } from "../forms/position.ts";
import { rare } from "../forms/rare.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type Tensor } from "../graph/tensor.ts";
import { watch } from "../graph/watch.ts";
import { sortsIndices } from "../kernels/choose.ts";
import { scatteredSums } from "../kernels/scatter-add.ts";
import { BITS } from "../kernels/shaders.ts";
import { cast } from "./cast.ts";
import { permute, reshape } from "./reshape.ts";
import { AXIS, type AxisOptions, elementAt } from "./rows.ts";
import { sumBySorting } from "./segment-sum.ts";

interface GatherAttributes extends Record<string, unknown> {
  /** Whether rows that are not there are zeros; else NaN, where the dtype has it. */
  isZero: boolean;
}

function outside(dtype: Tensor["dtype"], { isZero }: GatherAttributes): number {
  return isFloat(dtype) && !isZero ? Number.NaN : 0;
}

/** y[j, c] = x[index[j], c]. */
const gatherOp: OpDefinition<GatherAttributes> = defineOp<GatherAttributes>({
  name: "gather",
  infer: ([x, index]) => ({ shape: [index.shape[0], x.shape[1]], dtype: x.dtype }),
  cpu: (y, [x, index], { isZero }) => {
    const [count, columns] = y.shape;
    const [rowStride, stride] = x.strides;
    const none = isZero ? 0 : Number.NaN; // 0 in arrays of whole numbers
    for (let j = 0; j < count; j++) {
      const row = index.data[index.offset + j * index.strides[0]];
      const to = j * columns;
      const from = x.offset + row * rowStride;
      if (row < 0 || row >= x.shape[0]) {
        y.data.fill(none, to, to + columns);
      } else if (stride === 1) {
        y.data.set(x.data.subarray(from, from + columns), to);
      } else {
        for (let c = 0; c < columns; c++) y.data[to + c] = x.data[from + c * stride];
      }
    }
  },
  cost: 2,
  takesRows: true,
  form: {
    kind: "pointwise",
    batching: "gather",
    libraries: BITS,
    element: ({ at, load, scalars, inputs: [x, index], attributes }) => {
      const { body, coordinates } = at;
      const [m, words] = [scalars(x.dtype), scalars("u32")];
      const none = m.literal(outside(x.dtype, attributes));
      const rows = x.shape[0];
      if (rows === 0) return none;
      // A negative index is a large u32, so one comparison finds both ends.
      const place = Position.at(body, index.shape, [coordinates[0]]);
      const row = body.bind(words.from(load(1, place)));
      const safe = body.bind(words.call("min", row, words.literal(rows - 1)));
      const value = load(0, Position.at(body, x.shape, [safe, coordinates[1]]));
      return m.call("select", none, value, words.call("<", row, words.literal(rows)));
    },
  },
  vjp: (g, { inputs: [x, index] }) => [
    apply(scatterAddOp, [cast(index, "i32"), g], { rows: x.shape[0] }),
    null,
  ],
});

interface ScatterAttributes extends Record<string, unknown> {
  rows: number;
}

/** y[r, c] = Σ over j with index[j] = r of g[j, c]: the adjoint of gather. */
const scatterAddOp: OpDefinition<ScatterAttributes> = /* @__PURE__ */ rare(
  defineOp<ScatterAttributes>({
    name: "scatterAdd",
    infer: ([, g], { rows }) => ({ shape: [rows, g.shape[1]], dtype: g.dtype }),
    cpu: (y, [index, g]) => {
      const [count, columns] = g.shape;
      const sums = new Float64Array(sizeOf(y.shape));
      for (let j = 0; j < count; j++) {
        const row = index.data[index.offset + j * index.strides[0]];
        if (row < 0 || row >= y.shape[0]) continue;
        for (let c = 0; c < columns; c++) sums[row * columns + c] += elementAt(g, j, c);
      }
      y.data.set(sums);
    },
    ofNothing: 0,
    flops: ([, g]) => sizeOf(g.shape),
    form: {
      kind: "kernel",
      batching: "scatter",
      family: scatteredSums,
      problem: ({ inputs: [index], y: { shape, dtype } }) => {
        const [ROWS, COLUMNS] = shape;
        return { dtype, ROWS, COLUMNS, COUNT: index.shape[0] };
      },
    },
    lower: ([index, g], { rows }, traits) => {
      const problem = { ROWS: rows, COLUMNS: g.shape[1], COUNT: index.size };
      return sortsIndices(problem, traits) ? [sumBySorting(index, g, rows, traits)] : null;
    },
    vjp: (g, { inputs: [index] }) => [null, gatherRows(g, index, true)],
  }),
  "places",
);

/**
 * Takes the rows of `[n, columns]` that i32 `[count]` names. Those outside are NaN where the dtype has
 * it, or zeros where they are outside on purpose, and get no gradient.
 */
export function gatherRows(x: Tensor, index: Tensor, isZero = false): Tensor {
  return apply(gatherOp, [x, index], { isZero });
}

/** Adds rows `[count, columns]` to those of `rows` zeros that i32 `[count]` names, or to none. */
export function sumRowsAt(index: Tensor, g: Tensor, rows: number): Tensor {
  return apply(scatterAddOp, [index, g], { rows });
}

/** Indices as i32, of which one outside [0, n) is an error of `op` under `debug`. */
export function checkedPlaces(op: string, indices: Tensor, n: number): Tensor {
  return cast(watch ? watch.indices(op, indices, n) : indices, "i32");
}

/**
 * Takes slices of `x` along an axis: those that integer `indices` of any shape name.
 * The result has the indices' shape in place of the axis. Indices outside `[0, n)` give NaN
 * (0 for dtypes without NaN) and no gradient: the device cannot throw. Under `debug` they are an
 * error.
 * @example gather(images, batch); // rows of [60000, 784] at u32 indices [100]
 */
export function gather(
  x: Tensor,
  indices: Tensor,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("gather", options, AXIS, surplus);
  checkTensors("gather", [x, indices]);
  expectDType("gather: indices have dtype", indices.dtype, "index");
  if (x.rank === 0) {
    throw new ShapeError(`gather: x has shape ${formatShape(x.shape)}; expected at least one axis`);
  }
  const axis = normalizeAxis("gather", options.axis ?? 0, x.rank);
  const rest = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const n = x.shape[axis];
  const rows = reshape(permute(x, [axis, ...rest]), [n, sizeOf(rest.map((i) => x.shape[i]))]);
  const checked = watch ? watch.indices("gather", indices, n) : indices;
  const picked = gatherRows(rows, reshape(checked, [indices.size]));
  const restShape = rest.map((i) => x.shape[i]);
  const full = reshape(picked, [...indices.shape, ...restShape]);
  // The indices' axes are in front; move them to where the axis was.
  const k = indices.rank;
  const order = [
    ...rest.slice(0, axis).map((_, i) => k + i),
    ...indices.shape.map((_, i) => i),
    ...rest.slice(axis).map((_, i) => k + axis + i),
  ];
  return axis === 0 ? full : permute(full, order);
}
