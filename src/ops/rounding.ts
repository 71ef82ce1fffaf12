import { is } from "../core/dtype.ts";
import { Tensor } from "../graph/tensor.ts";
import { BITS } from "../kernels/shaders.ts";
import { checkDomain } from "./domain.ts";
import { type Row, type UnaryFunction, unary } from "./elementwise.ts";

/** Rounds floats; whole numbers stay as they are. */
/* @__NO_SIDE_EFFECTS__ */
function rounding(row: Pick<Row, "name" | "js" | "formula">): UnaryFunction {
  const { name } = row;
  const ofFloats = unary({ ...row, domain: "float", vjp: null });
  const named: Record<string, UnaryFunction> = {
    [name]: (x, ...surplus) => {
      if (x instanceof Tensor) checkDomain(name, x.dtype, "number");
      const isWhole = x instanceof Tensor && is(x.dtype, "index") && surplus.length === 0;
      return isWhole ? x : ofFloats(x, ...surplus);
    },
  };
  return named[name];
}

/** Rounds down to a whole number; the gradient is 0 everywhere. */
export const floor: UnaryFunction = rounding({ name: "floor", js: Math.floor, formula: "floor" });

/** Rounds up to a whole number; the gradient is 0 everywhere. */
export const ceil: UnaryFunction = rounding({ name: "ceil", js: Math.ceil, formula: "ceil" });

/** Rounds towards 0 to a whole number; the gradient is 0 everywhere. */
export const trunc: UnaryFunction = rounding({ name: "trunc", js: Math.trunc, formula: "trunc" });

/**
 * Rounds to the nearest whole number, of two equally near ones to the even one; the gradient is 0
 * everywhere.
 * Source: IEEE 754-2019, section 5.9, roundToIntegralTiesToEven.
 * @example await round(tensor([0.5, 1.5, 2.5, -0.6])).toArray(); // [0, 2, 2, -1]
 */
export const round: UnaryFunction = rounding({ name: "round", js: roundToEven, formula: "round" });

/** A sum of 2⁵² has no digits behind the point: the processor rounds them off, to even. */
export function roundToEven(x: number): number {
  const size = Math.abs(x);
  const whole = size < 2 ** 52 ? size + 2 ** 52 - 2 ** 52 : size;
  return x < 0 || Object.is(x, -0) ? -whole : whole;
}

/**
 * Computes x − trunc(x), the digits behind the point with the sign of x: exactly, where x − ⌊x⌋
 * would round to 1 for small x below 0. NaN for ±∞; the gradient is 1.
 * @example await fract(tensor([2.25, -2.25])).toArray(); // [0.25, -0.25]
 */
export const fract: UnaryFunction = unary({
  name: "fract",
  domain: "float",
  js: (x) => x - Math.trunc(x),
  formula: (m, x) => m.call("-", x, m.call("trunc", x)),
  libraries: BITS,
  vjp: (g) => [g],
});
