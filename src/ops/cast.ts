import { convert, type DType, isFloat } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { asIs } from "../core/strided.ts";
import { wgslType } from "../forms/wgsl.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, checkDType, type Tensor } from "../graph/tensor.ts";
import { BITS } from "./shaders.ts";

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
    element: ({ at, load, inputs: [x], attributes: { dtype } }) =>
      conversion(load(0, at), x.dtype, dtype),
  },
  vjp: (g, { inputs: [x] }) => [isFloat(x.dtype) && isFloat(g.dtype) ? cast(g, x.dtype) : null],
});

/** Bounds of what f32 holds of the whole numbers of a dtype. */
const WHOLE = { i32: ["-2147483648.0f", "2147483520.0f"], u32: ["0.0f", "4294967040.0f"] };

function conversion(x: string, from: DType, to: DType): string {
  if (wgslType(from) === wgslType(to)) return x;
  if (from === "f32" && to === "bool") return `((bitcast<u32>(${x}) & 0x7fffffffu) != 0u)`;
  if (to === "bool") return `(${x} != 0)`;
  if (from === "f32" && (to === "i32" || to === "u32")) {
    const [low, high] = WHOLE[to];
    const top = to === "i32" ? "2147483647i" : "4294967295u";
    const inside = `${to}(clamp(${x}, ${low}, ${high}))`;
    const finite = `select(${inside}, ${top}, ${x} > ${high})`;
    return `select(${finite}, ${to}(0), g_is_nan(${x}))`;
  }
  if (from === "i32" && to === "u32") return `u32(max(${x}, 0i))`;
  if (from === "u32" && to === "i32") return `i32(min(${x}, 2147483647u))`;
  return `${wgslType(to)}(${x})`;
}

/**
 * Converts elements to another dtype: fractions are cut towards 0, values outside are limited to
 * the dtype's range, NaN becomes 0 (true as a bool), bools become 0 and 1.
 * @throws DTypeError for `u8`, which is storage only.
 */
export function cast(x: Tensor, dtype: DType, ...surplus: never[]): Tensor {
  checkArguments("cast(x, dtype)", [x], surplus);
  checkDType("cast", dtype, x.device);
  if (dtype === "u8" && x.dtype !== "u8") {
    throw new DTypeError(`cast: ${x.dtype} to u8; expected f32, i32, u32, bool or f64`);
  }
  return x.dtype === dtype ? x : apply(castOp, [x], { dtype });
}
