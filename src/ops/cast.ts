import {
  asIs,
  convert,
  DTYPE_NAMES,
  type DType,
  either,
  is,
  isFloat,
  isHalf,
} from "../core/dtype.ts";
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

/** Does what `castAny` does between dtypes whose elements are numbers, which is what most ops need. */
export function cast(x: Tensor, dtype: DType, ...surplus: never[]): Tensor {
  checkArguments("cast(x, dtype)", [x], surplus);
  checkDType("cast", dtype, x.device);
  if (x.dtype === dtype) return x;
  if (!is(dtype, "any") || isHalf(x.dtype)) {
    throw notCast(x.dtype, dtype);
  }
  return apply(castOp, [x], { dtype });
}

/** The error for what is not cast to a dtype but to others, some of which may be named beside those. */
export function notCast(from: DType, to: DType, also: readonly DType[] = []): DTypeError {
  const expected = either([...DTYPE_NAMES.filter((name) => is(name, "any")), ...also]);
  return new DTypeError(`cast: ${from} to ${to}; expected ${expected}`);
}

/** Stores whole numbers as another dtype of such, which holds them and may be storage only. */
export function storedAs(x: Tensor, dtype: DType): Tensor {
  return apply(castOp, [x], { dtype });
}
