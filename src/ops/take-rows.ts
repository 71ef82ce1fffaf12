import { Position } from "../forms/position.ts";
import { rare } from "../forms/rare.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply } from "../graph/tensor.ts";
import { placeRows } from "../kernels/place-rows.ts";
import { equal } from "./compare.ts";
import { iota } from "./creation.ts";
import { sum } from "./reduce.ts";
import { expandDims, reshape } from "./reshape.ts";
import { elementAt } from "./rows.ts";
import { where } from "./where.ts";

/** y[row, j] = x[row, order[row, j]], where each row of order has distinct places of a row of x. */
export const takeRowsOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "takeRows",
  infer: ([x, order]) => ({ shape: order.shape, dtype: x.dtype }),
  cpu: (y, [x, order]) => {
    const [rows, count] = y.shape;
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < count; j++) {
        y.data[row * count + j] = elementAt(x, row, elementAt(order, row, j));
      }
    }
  },
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, inputs: [x, order] }) => {
      const place = Position.at(at.body, order.shape, at.coordinates);
      const column = at.body.bind(scalars("u32").from(load(1, place)));
      return load(0, Position.at(at.body, x.shape, [at.coordinates[0], column]));
    },
  },
  vjp: (g, { inputs: [x, order] }) => [
    apply(placeRowsOp, [order, g], { length: x.shape[1] }),
    null,
  ],
});

interface PlaceAttributes extends Record<string, unknown> {
  /** Elements of a row of the result. */
  length: number;
}

/** y[row, order[row, j]] = g[row, j], and zeros elsewhere: the adjoint of takeRows. */
export const placeRowsOp: OpDefinition<PlaceAttributes> = /* @__PURE__ */ rare(
  defineOp<PlaceAttributes>({
    name: "placeRows",
    infer: ([order, g], { length }) => ({ shape: [order.shape[0], length], dtype: g.dtype }),
    flops: () => 0,
    cpu: (y, [order, g]) => {
      const [rows, length] = y.shape;
      y.data.fill(0);
      for (let row = 0; row < rows; row++) {
        for (let j = 0; j < order.shape[1]; j++) {
          y.data[row * length + elementAt(order, row, j)] = elementAt(g, row, j);
        }
      }
    },
    form: {
      kind: "kernel",
      batching: "rows",
      family: placeRows,
      problem: ({ y: { shape, dtype } }) => ({ dtype, ROWS: shape[0], LENGTH: shape[1] }),
    },
    // Where not all of a row is written, each element looks for its own.
    lower: ([order, g], { length }) => {
      if (order.shape[1] === length) return null;
      const own = reshape(iota(length, "i32", g.device), [1, length, 1]);
      return [sum(where(equal(expandDims(order, 1), own), expandDims(g, 1), 0), { axis: 2 })];
    },
    vjp: (g, { inputs: [order] }) => [null, apply(takeRowsOp, [g, order], {})],
  }),
  "places",
);
