import { convert, DTYPE_NAMES, type DType, is, isFloat, isHalf } from "../core/dtype.ts";
import { numberHeld } from "../core/halves.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, checkDType, type Tensor } from "../graph/tensor.ts";
import { HALF } from "../kernels/shaders.ts";
import { cast, notCast } from "./cast.ts";

interface HalfAttributes extends Record<string, unknown> {
  dtype: DType;
}

/** From what is held as bits. */
const fromHalfOp: OpDefinition<HalfAttributes> = defineOp<HalfAttributes>({
  name: "cast",
  infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  scalar: ([x]) => {
    return (word) => numberHeld(word, x.dtype);
  },
  linear: true,
  form: {
    kind: "pointwise",
    libraries: HALF,
    element: ({ at, load, scalars }) => scalars("f32").call("g_half", load(0, at)),
  },
  vjp: (g) => [g], // the cotangent of what is held as bits is one of floats
});

/** To it: not linear, as far as kernels are concerned, which do not store parts of words. */
const toHalfOp: OpDefinition<HalfAttributes> = defineOp<HalfAttributes>({
  name: "cast",
  infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  scalar: (_, { dtype }) => {
    return (value) => convert(value, dtype);
  },
  form: {
    kind: "pointwise",
    libraries: HALF,
    element: ({ at, load, scalars }) => scalars("f32").call("g_half_bits", load(0, at)),
  },
  vjp: (g, { inputs: [x] }) => [cast(g, x.dtype)],
});

/**
 * Converts elements to another dtype: fractions are cut towards 0, values outside are limited to
 * the dtype's range, NaN becomes 0 (true as a bool), bools become 0 and 1. To f16, numbers are rounded
 * to the nearest, ties to even: those from 65520 on become ∞, those below 2⁻¹⁴ keep steps of 2⁻²⁴, NaN
 * stays NaN. From f16, every number is exact. Both are one with what reads the result, and gradients
 * pass through them in f32.
 * @throws DTypeError for `u8`, `i8`, `u16` and `i16`, which are storage only.
 * @example
 * const half = cast(tensor([0.1, 70000]), "f16");
 * await half.toArray(); // [0.0999755859375, Infinity]
 * await cast(half, "f32").mul(2).toArray(); // [0.199951171875, Infinity]
 */
export function castAny(x: Tensor, dtype: DType, ...surplus: never[]): Tensor {
  checkArguments("cast(x, dtype)", [x], surplus);
  checkDType("cast", dtype, x.device);
  if (x.dtype === dtype) return x;
  const [isFromHalf, isToHalf] = [isHalf(x.dtype), isHalf(dtype)];
  if (!isToHalf && !is(dtype, "any")) {
    throw notCast(x.dtype, dtype, DTYPE_NAMES.filter(isHalf));
  }
  if (!isFromHalf && !isToHalf) return cast(x, dtype);
  const op = isFromHalf ? fromHalfOp : toHalfOp;
  if (isFloat(isFromHalf ? dtype : x.dtype)) return apply(op, [x], { dtype });
  // Whole numbers that f32 rounds are infinite in f16.
  return castAny(castAny(x, "f32"), dtype);
}
