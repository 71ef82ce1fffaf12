import { sizeOf } from "../../core/shape.ts";
import { Position } from "../../forms/position.ts";
import { type Attributes, defineOp, type OpDefinition } from "../../graph/op.ts";

/** y = x[row]: what a loop's turn reads. Only kernels know it: the CPU sees rows where they lie. */
export const rowOfTurn: OpDefinition<Attributes> = defineOp<Attributes>({
  name: "rowOfTurn",
  cost: 0,
  form: {
    kind: "pointwise",
    element: ({ at, load, inputs: [x] }) => {
      const row = at.body.bind(load(1, Position.at(at.body, [], [])));
      return load(0, Position.at(at.body, x.shape, [row, ...at.coordinates]));
    },
  },
  vjp: null,
});

/** y = x with a row of values in place of x[row]: in place, it writes the row and no more. */
export const putRow: OpDefinition<Attributes> = defineOp<Attributes>({
  name: "putRow",
  cost: 0,
  scatter: 2,
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, inputs: [, , values], y }) => {
      const [own, ...rest] = at.coordinates;
      const row = load(1, Position.at(at.body, [], []));
      const fresh = load(2, Position.at(at.body, values.shape, rest));
      const isWritten = scalars("u32").call("==", own, row);
      return scalars(y.dtype).call("select", load(0, at), fresh, isWritten);
    },
    place: ({ at, load, scalars, inputs: [, , { shape }] }) => {
      const words = scalars("u32");
      const row = load(1, Position.at(at.body, [], []));
      return words.call("+", words.call("*", row, words.literal(sizeOf(shape))), at.linear);
    },
  },
  vjp: null,
});
