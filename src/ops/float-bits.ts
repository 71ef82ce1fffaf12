import { checkSurplus } from "../core/check.ts";
import { allocate, type NumericArray } from "../core/dtype.ts";
import { NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { FLOAT_BITS } from "../kernels/shaders.ts";
import { mul } from "./arithmetic.ts";
import { less } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import {
  type BinaryFunction,
  binary,
  broadcastInputs,
  elementwise,
  type OtherOperand,
} from "./elementwise.ts";
import { sign } from "./unary.ts";

/** |x| with the sign of y, which counts as + where y is NaN. */
export function sizedAs(x: number, y: number): number {
  return y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x);
}

/**
 * Computes |a| with the sign of b, that of −0 too; NaN counts as a number above 0. The gradient is
 * 1 for a where the sign stays, −1 where it turns and 0 at a = 0; it is 0 for b.
 * Source: IEEE 754-2019, section 5.5.1.
 * @example await copysign(tensor([2, -2, 2]), tensor([1, 1, -0])).toArray(); // [2, 2, -2]
 */
export const copysign: BinaryFunction = binary({
  name: "copysign",
  domain: "float",
  js: sizedAs,
  formula: "g_copysign",
  libraries: FLOAT_BITS,
  vjp: (g, _, a, b) => [mul(g, mul(sign(a), copysign(1, b))), null],
});

/**
 * Says where a number has a sign: below 0, and −0; not where it is NaN. A bool.
 * @example await signBit(tensor([-2, -0, 0])).toArray(); // [1, 1, 0]
 */
export function signBit(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("signBit(x)", [x], surplus);
  checkDomain("signBit", x.dtype, "float");
  return less(copysign(1, x), 0);
}

/**
 * The next number from x towards y in the dtype of an array: the order of bits is that of sizes.
 */
export function nextOf(x: number, y: number, floats: NumericArray): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === y) return y;
  const words = new Uint32Array(floats.buffer);
  if (x === 0) {
    words[0] = 1;
    return sizedAs(floats[0], y);
  }
  floats[0] = x;
  const isOutward = x < y === x > 0;
  const carry = isOutward ? 0xffffffff : 0;
  if (words.length > 1 && words[0] === carry) words[1] += isOutward ? 1 : -1;
  words[0] += isOutward ? 1 : -1;
  return floats[0];
}

const next = elementwise({
  name: "nextafter",
  domain: "float",
  js: (a, b) => nextOf(a, b, new Float32Array(1)),
  formula: "g_next_after",
  libraries: FLOAT_BITS,
  vjp: (g) => [g, null],
});

const nextafterOp: OpDefinition<Record<string, never>> = {
  ...next,
  scalar: ([{ dtype }]) => {
    return (a, b) => nextOf(a, b, allocate(dtype, 1));
  },
};

/**
 * Finds the next number of the dtype from a towards b; b where they are equal, NaN where one is
 * NaN. On WebGPU, where numbers below the normal ones count as 0, the next one from 0 is ±1.18e-38.
 * The gradient is 1 for a and 0 for b.
 * Source: ISO/IEC 9899:2018, section 7.12.11.3.
 * @example await sub(nextafter(tensor([1]), 2), 1).item(); // 1.1920928955078125e-7
 */
export function nextafter<A extends Tensor | number>(
  a: A,
  b: OtherOperand<A>,
  ...surplus: never[]
): Tensor {
  checkSurplus("nextafter(a, b)", surplus);
  return apply(nextafterOp, broadcastInputs("nextafter", a, b), NO_ATTRIBUTES);
}
