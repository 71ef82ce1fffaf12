import { Position } from "../forms/position.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { hotRows } from "./creation.ts";
import { expandDims } from "./reshape.ts";
import { where } from "./where.ts";

/** y[i] = x[i, column[i]]; 0 where the column is none of x's. */
const pickOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "pick",
  infer: ([x]) => ({ shape: [x.shape[0]], dtype: x.dtype }),
  cpu: (y, [x, columns]) => {
    const [rowStride, stride] = x.strides;
    for (let i = 0; i < x.shape[0]; i++) {
      const column = columns.data[columns.offset + i * columns.strides[0]];
      const isInside = column >= 0 && column < x.shape[1];
      y.data[i] = isInside ? x.data[x.offset + i * rowStride + column * stride] : 0;
    }
  },
  cost: 2,
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, inputs: [x, columns] }) => {
      const { body, coordinates } = at;
      const [m, words] = [scalars(x.dtype), scalars("u32")];
      const none = m.literal(0);
      const n = x.shape[1];
      if (n === 0) return none;
      // A negative column is a large u32, so one comparison finds both ends.
      const place = Position.at(body, columns.shape, coordinates);
      const column = body.bind(words.from(load(1, place)));
      const safe = body.bind(words.call("min", column, words.literal(n - 1)));
      const value = load(0, Position.at(body, x.shape, [coordinates[0], safe]));
      return m.call("select", none, value, words.call("<", column, words.literal(n)));
    },
  },
  vjp: (g, { inputs: [x, columns] }) => {
    const isPicked = hotRows(columns, x.shape[1], "bool");
    return [where(isPicked, expandDims(g, 1), 0), null];
  },
});

/** Picks one element of each row of x, `[n, c]`, by integers `[n]`; 0 where one is outside `[0, c)`. */
export function pick(x: Tensor, columns: Tensor): Tensor {
  return apply(pickOp, [x, columns], {});
}
