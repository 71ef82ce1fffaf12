import { defineOp } from "../../src/graph/op.ts";
import { apply, type Tensor } from "../../src/graph/tensor.ts";

const op = defineOp<Record<string, never>>({
  name: "broken",
  infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  cpu: () => {},
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ scalars }) =>
      scalars("f32").call("no_such_function" as "abs", scalars("f32").literal(1)),
  },
  vjp: null,
});

/** An op whose kernel does not compile. */
export function broken(x: Tensor): Tensor {
  return apply(op, [x], {});
}
