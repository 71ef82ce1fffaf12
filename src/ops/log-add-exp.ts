import type { Formula } from "../forms/scalars.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { BUILT_INS, NEAR_ZERO } from "../kernels/shaders.ts";
import { mul, neg, sub } from "./arithmetic.ts";
import { type BinaryFunction, binary } from "./elementwise.ts";
import { sigmoid } from "./unary.ts";

interface Sum {
  readonly js: (a: number, b: number) => number;
  readonly formula: Formula;
  readonly libraries: readonly ShaderFile[];
}

/** max(a, b) + log(1 + e^(−|a − b|)); infinities of one sign have no difference. */
export const LOG_ADD_EXP: Sum = {
  js: (a, b) => Math.max(a, b) + (a === b ? Math.LN2 : Math.log1p(Math.exp(-Math.abs(a - b)))),
  formula: (m, a, b) => {
    const less = m.call("g_softplus", m.call("-", m.call("abs", m.call("-", a, b))));
    const rest = m.call("select", less, m.literal(Math.LN2), m.call("==", a, b));
    return m.call("+", m.call("max", a, b), rest);
  },
  libraries: [...NEAR_ZERO, ...BUILT_INS],
};

/**
 * Computes log(eᵃ + eᵇ) without overflow; −∞ adds nothing. The gradient is the share of each, NaN
 * where both are the same infinity.
 * @example await logAddExp(tensor([0, 1000]), 0).toArray(); // [0.6931471824645996, 1000]
 */
export const logAddExp: BinaryFunction = binary({
  name: "logAddExp",
  domain: "float",
  ...LOG_ADD_EXP,
  commutes: true,
  cost: 25,
  vjp: (g, _, a, b) => {
    const difference = sub(a, b);
    return [mul(g, sigmoid(difference)), mul(g, sigmoid(neg(difference)))];
  },
});
