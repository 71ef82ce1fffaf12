import { asIs, convert, DTYPE_NAMES, type DType, either, is, isFloat } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, checkDType, type Tensor } from "../graph/tensor.ts";
import { BITS } from "../kernels/shaders.ts";

interface CastAttributes extends Record<string, unknown> {
  dtype: DType;
}

const castOp: OpDefinition<CastAttributes> = defineOp<CastAttributes>({
  name: "cast",
  infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  scalar: (_, { dtype }) => (isFloat(dtype) ? asIs : (x) => convert(x, dtype)),
  linear: true,
  form: {
    kind: "pointwise",
    libraries: BITS,
    element: ({ at, load, scalars, inputs: [x], attributes: { dtype } }) =>
      scalars(x.dtype).convert(load(0, at), dtype),
  },
  vjp: (g, { inputs: [x] }) => [isFloat(x.dtype) && isFloat(g.dtype) ? cast(g, x.dtype) : null],
});

/**
 * Converts elements to another dtype: fractions are cut towards 0, values outside are limited to
 * the dtype's range, NaN becomes 0 (true as a bool), bools become 0 and 1.
 * @throws DTypeError for `u8`, which is storage only.
 */
export function cast(x: Tensor, dtype: DType, ...surplus: never[]): Tensor {
  checkArguments("cast(x, dtype)", [x], surplus);
  checkDType("cast", dtype, x.device);
  if (x.dtype === dtype) return x;
  if (!is(dtype, "any")) {
    const expected = either(DTYPE_NAMES.filter((name) => is(name, "any")));
    throw new DTypeError(`cast: ${x.dtype} to ${dtype}; expected ${expected}`);
  }
  return apply(castOp, [x], { dtype });
}

/** Stores whole numbers as another dtype of such, which holds them and may be storage only. */
export function storedAs(x: Tensor, dtype: DType): Tensor {
  return apply(castOp, [x], { dtype });
}
