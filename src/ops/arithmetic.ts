import { checkNumbers } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { BITS, BUILT_INS } from "../kernels/shaders.ts";
import { equal, greater, greaterEqual, less, lessEqual, logicalAnd } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { type BinaryFunction, binary, type UnaryFunction, unary } from "./elementwise.ts";
import { where } from "./where.ts";

/** Computes −x. */
export const neg: UnaryFunction = unary({
  name: "neg",
  domain: "signed",
  js: (x) => -x,
  loop: "neg",
  formula: "-",
  vjp: (g) => [neg(g)],
});

/** Computes a + b. */
export const add: BinaryFunction = binary({
  name: "add",
  domain: "number",
  js: (a, b) => a + b,
  loop: "add",
  formula: "+",
  libraries: BITS,
  vjp: (g) => [g, g],
});

/** Computes a − b. */
export const sub: BinaryFunction = binary({
  name: "sub",
  domain: "number",
  neutral: 0,
  js: (a, b) => a - b,
  loop: "sub",
  formula: "-",
  libraries: BITS,
  vjp: (g) => [g, neg(g)],
});

/** Computes a · b. */
export const mul: BinaryFunction = binary({
  name: "mul",
  domain: "number",
  neutral: 1,
  commutes: true,
  js: (a, b) => a * b,
  integer: Math.imul,
  loop: "mul",
  formula: "*",
  libraries: BITS,
  vjp: (g, _, a, b) => [mul(g, b), mul(g, a)],
});

/** Computes a / b of floats. */
export const div: BinaryFunction = binary({
  name: "div",
  domain: "float",
  neutral: 1,
  js: (a, b) => a / b,
  loop: "div",
  formula: "/",
  libraries: BITS,
  cost: 2,
  vjp: (g, y, _, b) => [div(g, b), neg(div(mul(g, y), b))],
});

/** Computes x². */
export const square: UnaryFunction = unary({
  name: "square",
  domain: "number",
  js: (x) => x * x,
  integer: (x) => Math.imul(x, x),
  loop: "square",
  formula: (m, x) => m.call("*", x, x),
  libraries: BITS,
  vjp: (g, _, x) => [mul(g, mul(x, 2))],
});

/** Computes 1 / x. */
export const reciprocal: UnaryFunction = unary({
  name: "reciprocal",
  domain: "float",
  js: (x) => 1 / x,
  formula: (m, x) => m.call("/", m.literal(1), x),
  libraries: BITS,
  cost: 2,
  vjp: (g, y) => [neg(mul(mul(g, y), y))],
});

/** Computes the larger of a and b; where they are equal each gets half of the gradient. */
export const maximum: BinaryFunction = binary({
  name: "maximum",
  domain: "number",
  js: Math.max,
  loop: "maximum",
  formula: "max",
  libraries: BUILT_INS,
  vjp: (g, _, a, b) => [share(g, greater(a, b), a, b), share(g, greater(b, a), a, b)],
});

/** Computes the smaller of a and b; where they are equal each gets half of the gradient. */
export const minimum: BinaryFunction = binary({
  name: "minimum",
  domain: "number",
  js: Math.min,
  loop: "minimum",
  formula: "min",
  libraries: BUILT_INS,
  vjp: (g, _, a, b) => [share(g, less(a, b), a, b), share(g, less(b, a), a, b)],
});

/** g where one side won, half of it where both are equal, else 0, even for an infinite g. */
function share(g: Tensor, won: Tensor, a: Tensor, b: Tensor): Tensor {
  return where(won, g, where(equal(a, b), mul(g, 0.5), 0));
}

/** Limits x to [low, high]; the gradient is 0 outside and passes at the limits. */
export function clip(x: Tensor, low: number, high: number, ...surplus: never[]): Tensor {
  checkArguments("clip(x, low, high)", [x], surplus);
  checkDomain("clip", x.dtype, "number");
  checkNumbers("clip", { low, high });
  if (!(low <= high)) {
    throw new GradusError(`clip: low ${low}, high ${high}; expected low ≤ high`);
  }
  const limit = customGrad(
    (y: Tensor) => minimum(maximum(y, low), high),
    (g, _, y) => [where(logicalAnd(greaterEqual(y, low), lessEqual(y, high)), g, 0)],
  );
  return limit(x);
}
