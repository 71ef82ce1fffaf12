import { expectDType } from "../core/dtype.ts";
import { broadcastShapes } from "../core/shape.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { stretch } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { broadcastInputs } from "./elementwise.ts";

/** y = condition ? a : b. */
const whereOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "where",
  infer: ([, a]) => {
    checkDomain("where", a.dtype, "any");
    return { shape: a.shape, dtype: a.dtype };
  },
  scalar: () => (c, a, b) => (c ? a : b),
  loop: "where",
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, y }) =>
      scalars(y.dtype).call("select", load(2, at), load(1, at), load(0, at)),
  },
  vjp: (g, { inputs: [condition] }) => [null, where(condition, g, 0), where(condition, 0, g)],
});

/** Takes a where a bool condition holds and b elsewhere; all three broadcast. */
export function where(
  condition: Tensor,
  a: Tensor | number,
  b: Tensor | number,
  ...surplus: never[]
): Tensor {
  checkArguments("where(condition, a, b)", [condition], surplus);
  expectDType("where: condition has dtype", condition.dtype, "bool");
  const [x, y] = broadcastInputs("where", a, b);
  const shape = broadcastShapes("where", condition.shape, x.shape);
  const inputs = [condition, x, y].map((input) => stretch(input, shape));
  return apply(whereOp, inputs, NO_ATTRIBUTES);
}
