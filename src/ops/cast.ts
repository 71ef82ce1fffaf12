import { convert, DTYPE_NAMES, DTYPES, type DType, either, is, isFloat } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { asIs } from "../core/strided.ts";
import { literal } from "../forms/wgsl.ts";
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
    element: ({ at, load, inputs: [x], attributes: { dtype } }) =>
      conversion(load(0, at), x.dtype, dtype),
  },
  vjp: (g, { inputs: [x] }) => [isFloat(x.dtype) && isFloat(g.dtype) ? cast(g, x.dtype) : null],
});

function conversion(x: string, from: DType, to: DType): string {
  const [a, { min, max, wgsl }] = [DTYPES[from], DTYPES[to]];
  if (a.wgsl === wgsl) return x;
  if (is(to, "bool")) {
    return isFloat(from) ? `((bitcast<u32>(${x}) & 0x7fffffffu) != 0u)` : `(${x} != 0)`;
  }
  if (isFloat(to) || is(from, "bool")) return `${wgsl}(${x})`;
  // No float is as large as 2³¹ − 1 or 2³² − 1 but those that are larger.
  const top = isFloat(from) ? (max + 1) * (1 - a.epsilon / 2) : Math.min(a.max, max);
  const [low, high] = [Math.max(a.min, min), top].map((n) => literal(n, from));
  const inside = `${wgsl}(clamp(${x}, ${low}, ${high}))`;
  if (!isFloat(from)) return inside;
  const finite = `select(${inside}, ${literal(max, to)}, ${x} > ${high})`;
  return `select(${finite}, ${wgsl}(0), g_is_nan(${x}))`;
}

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
