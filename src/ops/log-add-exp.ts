import type { Formula } from "../forms/scalars.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { BUILT_INS, NEAR_ZERO } from "../kernels/shaders.ts";
import { mul, neg, sub } from "./arithmetic.ts";
import { equal, logicalAnd } from "./compare.ts";
import { type BinaryFunction, binary } from "./elementwise.ts";
import { isInf, sigmoid } from "./unary.ts";
import { where } from "./where.ts";

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
 * Computes log(eᵃ + eᵇ), which neither overflows nor vanishes before the larger of both does.
 * Formula: max(a, b) + log(1 + e^(−|a − b|)); the gradient is the softmax of a and b, ½ for each where
 * they are equal, infinite ones too.
 * @throws DTypeError unless both are floats of one dtype, ShapeError where shapes do not broadcast.
 * @example await logAddExp(tensor([0, 1000]), 0).toArray(); // about [0.693, 1000]
 */
export const logAddExp: BinaryFunction = binary({
  name: "logAddExp",
  domain: "float",
  ...LOG_ADD_EXP,
  cost: 25,
  vjp: (g, _, a, b) => {
    const isSame = logicalAnd(equal(a, b), isInf(a));
    const [x, y] = [a, b].map((side) => where(isSame, 0, side)); // ∞ − ∞ is NaN
    const distance = sub(x, y);
    return [mul(g, sigmoid(distance)), mul(g, sigmoid(neg(distance)))];
  },
});
