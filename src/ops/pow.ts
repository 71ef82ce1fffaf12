import { mul, sub } from "./arithmetic.ts";
import { equal, greater } from "./compare.ts";
import { type BinaryFunction, binary } from "./elementwise.ts";
import { POW } from "./shaders.ts";
import { log } from "./unary.ts";
import { where } from "./where.ts";

/**
 * Computes aᵇ as `Math.pow`: NaN for negative a and fractional b, 1 for b = 0.
 * The gradient with respect to b counts only where a > 0.
 */
export const pow: BinaryFunction = binary({
  name: "pow",
  domain: "float",
  js: Math.pow,
  wgsl: (a, b) => `g_pow(${a}, ${b})`,
  libraries: POW,
  cost: 24,
  vjp: (g, y, a, b) => {
    // da = g · b · aᵇ⁻¹, db = g · aᵇ · ln a
    const slope = where(equal(b, 0), 0, mul(b, pow(a, sub(b, 1))));
    const logA = where(greater(a, 0), log(where(greater(a, 0), a, 1)), 0);
    return [mul(g, slope), mul(g, mul(y, logA))];
  },
});
