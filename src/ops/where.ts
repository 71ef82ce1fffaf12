import { checkNumbers } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { broadcastShapes, formatShape, sameShape } from "../core/shape.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, Tensor } from "../graph/tensor.ts";
import { stretch } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { broadcastInputs, type OtherOperand } from "./elementwise.ts";

/** y = condition ? a : b. */
const whereOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "where",
  infer: ([, a]) => {
    checkDomain("where", a.dtype, "any");
    return a;
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
export function where<A extends Tensor | number>(
  condition: Tensor,
  a: A,
  b: OtherOperand<A>,
  ...surplus: never[]
): Tensor {
  checkArguments("where(condition, a, b)", [condition], surplus);
  expectDType("where: condition has dtype", condition.dtype, "bool");
  const [x, y] = broadcastInputs("where", a, b);
  const shape = broadcastShapes("where", condition.shape, x.shape);
  const inputs = [condition, x, y].map((input) => stretch(input, shape));
  return apply(whereOp, inputs, NO_ATTRIBUTES);
}

/**
 * Replaces elements by a value where a bool mask holds, as PyTorch's `masked_fill` does.
 * @param mask broadcasts to x's shape.
 * @param value a number, or a scalar of x's dtype.
 * @throws ShapeError or DTypeError for others.
 * @example await maskedFill(tensor([1, 2]), tensor([true, false]), 9).toArray(); // [9, 2]
 */
export function maskedFill(
  x: Tensor,
  mask: Tensor,
  value: Tensor | number,
  ...surplus: never[]
): Tensor {
  checkArguments("maskedFill(x, mask, value)", [x, mask], surplus);
  expectDType("maskedFill: mask has dtype", mask.dtype, "bool");
  checkDomain("maskedFill", x.dtype, "any");
  if (!sameShape(broadcastShapes("maskedFill", x.shape, mask.shape), x.shape)) {
    throw new ShapeError(
      `maskedFill: mask ${formatShape(mask.shape)} for ${formatShape(x.shape)}; expected one that ` +
        "broadcasts to it",
    );
  }
  if (!(value instanceof Tensor)) checkNumbers("maskedFill", { value });
  else if (value.rank > 0) {
    throw new ShapeError(
      `maskedFill: value ${formatShape(value.shape)}; expected a number or a scalar`,
    );
  }
  const [filler, own] = broadcastInputs("maskedFill", value, x);
  return where(mask, filler, own);
}
