import { DTYPES, type DType, is, isFloat } from "../../core/dtype.ts";
import { number } from "../../forms/number.ts";
import type { Scalars } from "../../forms/scalars.ts";
import { literal, type ShaderFile, wgslType } from "../../forms/wgsl.ts";

/**
 * Writes formulas of a dtype as expressions of their values, which are names or literals. Results of
 * arithmetic on floats pass through the function `exact`, if there is one.
 */
export function wgslScalars(
  dtype: DType,
  libraries: readonly ShaderFile[] = [],
  exact = "exact",
): Scalars<string> {
  const isOfFloats = isFloat(dtype);
  return {
    call: (name, ...values) => {
      const [a, b] = values as string[];
      for (const { floats } of libraries) {
        const text = isOfFloats && floats?.(name, a, b);
        if (text) return text;
      }
      if (/\w/.test(name)) return `${name}(${values.join(", ")})`;
      if (b === undefined) return `(${name}${a})`;
      return `${isOfFloats && /[-+*/]/.test(name) ? exact : ""}(${a} ${name} ${b})`;
    },
    literal: (value) => literal(value, dtype),
    number: (value) => number(value, dtype),
    from: (whole) => `${wgslType(dtype)}(${whole})`,
    convert: (value, to) => conversion(value, dtype, to),
  };
}

function conversion(x: string, from: DType, to: DType): string {
  const [a, { min, max, wgsl }] = [DTYPES[from], DTYPES[to]];
  const isOfFloat = isFloat(from);
  if (a.wgsl === wgsl) return x;
  if (is(to, "bool")) {
    return isOfFloat ? `((bitcast<u32>(${x}) & 0x7fffffffu) != 0u)` : `(${x} != 0)`;
  }
  if (isFloat(to) || is(from, "bool")) return `${wgsl}(${x})`;
  // No float is as large as 2³¹ − 1 or 2³² − 1 but those that are larger.
  const top = isOfFloat ? (max + 1) * (1 - a.epsilon / 2) : Math.min(a.max, max);
  const [low, high] = [Math.max(a.min, min), top].map((n) => literal(n, from));
  const inside = `${wgsl}(clamp(${x}, ${low}, ${high}))`;
  return isOfFloat
    ? `select(select(${inside}, ${literal(max, to)}, ${x} > ${high}), ${wgsl}(0), g_is_nan(${x}))`
    : inside;
}
