import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { POW } from "../kernels/shaders.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { equal, greater } from "./compare.ts";
import { type BinaryFunction, binary } from "./elementwise.ts";
import { log } from "./unary.ts";
import { where } from "./where.ts";

/**
 * Computes aᵇ as `Math.pow`: NaN for negative a and fractional b, 1 for b = 0.
 * Slopes of any order are those of the polynomial where b is a whole number from 0, at a = 0 too.
 * The gradient with respect to b counts only where a > 0.
 */
export const pow: BinaryFunction = binary({
  name: "pow",
  domain: "float",
  js: Math.pow,
  formula: "g_pow",
  libraries: POW,
  cost: 24,
  vjp: (g, _, a, b) => slopes(g, a, b, 0),
});

/** What cotangents of ∂ᵏaᵇ/∂aᵏ make of those of a and b. */
function slopes(g: Tensor, a: Tensor, b: Tensor, k: number): [Tensor, Tensor] {
  const positive = greater(a, 0);
  const base = where(positive, a, 1);
  // ∂b = aᵇ⁻ᵏ (fₖ ln a + fₖ′)
  const [factor, change] = falling(b, k);
  const rate = add(mul(log(base), factor), change);
  const ofB = where(positive, mul(pow(base, sub(b, k)), rate), 0);
  return [mul(g, derivative(a, b, k + 1)), mul(g, ofB)];
}

/** ∂ᵏaᵇ/∂aᵏ = fₖ aᵇ⁻ᵏ: 0 where fₖ is, though aᵇ⁻ᵏ be infinite. */
function derivative(a: Tensor, b: Tensor, k: number): Tensor {
  const value = (p: Tensor, q: Tensor) => {
    const [factor] = falling(q, k);
    const f = factor as Tensor;
    return mul(f, pow(p, where(equal(f, 0), 0, sub(q, k))));
  };
  return customGrad(value, (g, _, p, q) => slopes(g, p, q, k))(a, b);
}

/** fₖ = b (b − 1) … (b − k + 1) and its slope by b. */
function falling(b: Tensor, k: number): [Tensor | number, Tensor | number] {
  let [f, slope]: [Tensor | number, Tensor | number] = [1, 0];
  for (let i = 0; i < k; i++) {
    const next = sub(b, i);
    slope = i === 0 ? 1 : add(mul(next, slope), f);
    f = i === 0 ? b : mul(next, f);
  }
  return [f, slope];
}
