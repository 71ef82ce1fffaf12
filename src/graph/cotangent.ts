import { convert } from "../core/dtype.ts";
import { type Attributes, defineOp, NO_ATTRIBUTES, type OpDefinition } from "./op.ts";
import { apply, type Tensor } from "./tensor.ts";

interface FillAttributes extends Attributes {
  shape: readonly number[];
  dtype: Tensor["dtype"];
  value: number;
}

/** y = value everywhere; a literal in what needs it. */
export const fill: OpDefinition<FillAttributes> = defineOp<FillAttributes>({
  name: "fill",
  infer: (_, { shape, dtype }) => ({ shape, dtype }),
  cpu: (y, _, { value }) => {
    y.data.fill(value);
  },
  cost: 0,
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ attributes, scalars }) => scalars(attributes.dtype).number(attributes.value),
  },
  vjp: null,
});

/** A tensor like `x` with one value everywhere. */
export function fillTensor(x: Tensor, value: number): Tensor {
  const attributes = { shape: x.shape, dtype: x.dtype, value: convert(value, x.dtype) };
  return apply(fill, [], attributes, x.device);
}

/** y = a + b for equal shapes: how cotangents that meet are added. */
export const accumulate: OpDefinition<Attributes> = defineOp<Attributes>({
  name: "accumulate",
  scalar: () => (a, b) => a + b,
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, y }) => scalars(y.dtype).call("+", load(0, at), load(1, at)),
  },
  vjp: (g) => [g, g],
});

/** Adds cotangents of one node. */
export function sumTensors(terms: readonly Tensor[]): Tensor {
  const [{ node }] = terms;
  return (
    node.op?.rows?.sum(terms) ?? terms.reduce((a, b) => apply(accumulate, [a, b], NO_ATTRIBUTES))
  );
}
