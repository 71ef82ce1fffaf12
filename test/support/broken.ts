import { defineOp } from "../../src/graph/op.ts";
import { apply, type Tensor } from "../../src/graph/tensor.ts";

const op = defineOp<Record<string, never>>({
  name: "broken",
  infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  cpu: () => {},
  linear: true,
  form: { kind: "pointwise", element: () => "no_such_function(1.0)" },
  vjp: null,
});

/** An op whose kernel does not compile. */
export function broken(x: Tensor): Tensor {
  return apply(op, [x], {});
}
