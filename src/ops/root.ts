import { steps } from "../forms/float-value.ts";
import type { Tensor } from "../graph/tensor.ts";
import { BUILT_INS, EXP_LOG } from "../kernels/shaders.ts";
import { div, mul, square } from "./arithmetic.ts";
import { equal, lessEqual } from "./compare.ts";
import { type BinaryFunction, binary, type UnaryFunction, unary } from "./elementwise.ts";
import { sqrt } from "./unary.ts";
import { where } from "./where.ts";

/** Computes √x where x > 0; from 0 down it is 0 with the slope 0, where √ has none. NaN stays. */
export function safeSqrt(x: Tensor): Tensor {
  const flat = lessEqual(x, 0);
  return where(flat, 0, sqrt(where(flat, 1, x)));
}

/** Computes 1 / √x; ∞ at 0, −∞ at −0 and NaN below. */
export const rsqrt: UnaryFunction = unary({
  name: "rsqrt",
  domain: "float",
  js: (x) => 1 / Math.sqrt(x),
  formula: (m, x) => m.call("/", m.literal(1), m.call("g_sqrt", x)),
  libraries: BUILT_INS,
  cost: 6,
  // d x^(−½) = −½ x^(−½) / x
  vjp: (g, y, x) => [div(mul(g, y), mul(x, -2))],
});

/** Computes the cube root of x, of numbers below 0 too; the gradient at 0 is infinite. */
export const cbrt: UnaryFunction = unary({
  name: "cbrt",
  domain: "float",
  js: Math.cbrt,
  // A step of Newton's from y = e^(log|x| / 3), which is right to 4e-6: y − (y − |x| / y²) / 3.
  formula: steps((x) => {
    const a = x.abs();
    const y = a
      .call("g_log")
      .times(1 / 3)
      .call("g_exp");
    const root = y.minus(y.minus(a.over(y.times(y))).times(1 / 3));
    const signed = x.below(0).choose(root.negative(), root);
    // 0 where |x| is, or counts as 0.
    const isEnd = y.equals(0).call("|", x.call("g_is_finite").call("!"));
    return isEnd.choose(x, signed);
  }),
  libraries: [...BUILT_INS, ...EXP_LOG],
  cost: 24,
  vjp: (g, y) => [div(g, mul(square(y), 3))],
});

/**
 * Computes √(a² + b²) without overflow; ∞ where one is infinite, though the other be NaN. The
 * gradient where both are 0 is 0.
 * @example
 * await hypot(tensor([3, 0]), tensor([4, 0])).toArray(); // [5, 0]
 */
export const hypot: BinaryFunction = binary({
  name: "hypot",
  domain: "float",
  js: Math.hypot,
  // high · √(1 + (low / high)²) of the larger and the smaller size.
  formula: steps((a, b) => {
    const [p, q] = [a.abs(), b.abs()];
    const isFirst = p.above(q);
    const [high, low] = [isFirst.choose(p, q), isFirst.choose(q, p)];
    const ratio = low.over(high);
    const y = high.times(ratio.times(ratio).plus(1).call("g_sqrt"));
    const finite = high.equals(0).choose(p.plus(q), y); // NaN of 0 and NaN
    const isInfinite = p.isInfinite().call("|", q.isInfinite());
    return isInfinite.choose(Number.POSITIVE_INFINITY, finite);
  }),
  libraries: BUILT_INS,
  cost: 14,
  vjp: (g, y, a, b) => {
    const safe = where(equal(y, 0), 1, y);
    return [mul(g, div(a, safe)), mul(g, div(b, safe))];
  },
});
