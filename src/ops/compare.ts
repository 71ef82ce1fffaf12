import type { Trait } from "../core/dtype.ts";
import type { LoopName } from "../forms/loops.ts";
import type { Formula } from "../forms/scalars.ts";
import { type BinaryFunction, binary, type UnaryFunction, unary } from "./elementwise.ts";

/* @__NO_SIDE_EFFECTS__ */
function comparison(
  name: string,
  formula: Formula,
  js: (a: number, b: number) => boolean,
  domain: Trait = "number",
  loop?: LoopName,
): BinaryFunction {
  return binary({
    name,
    domain,
    result: "bool",
    js: (a, b) => (js(a, b) ? 1 : 0),
    loop,
    formula,
    vjp: null,
  });
}

/** Says where a = b; a bool. */
export const equal: BinaryFunction = comparison("equal", "==", (a, b) => a === b, "any");
/** Says where a ≠ b; a bool. */
export const notEqual: BinaryFunction = binary({
  name: "notEqual",
  domain: "any",
  result: "bool",
  js: (a, b) => (a !== b ? 1 : 0),
  // Not a != b, which is false for NaN in SPIR-V's ordered comparison.
  formula: (m, a, b) => m.call("!", m.call("==", a, b)),
  vjp: null,
});
/** Says where a < b; a bool. */
export const less: BinaryFunction = comparison("less", "<", (a, b) => a < b);
/** Says where a ≤ b; a bool. */
export const lessEqual: BinaryFunction = comparison("lessEqual", "<=", (a, b) => a <= b);
/** Says where a > b; a bool. */
export const greater: BinaryFunction = comparison(
  "greater",
  ">",
  (a, b) => a > b,
  "number",
  "greater",
);
/** Says where a ≥ b; a bool. */
export const greaterEqual: BinaryFunction = comparison("greaterEqual", ">=", (a, b) => a >= b);
/** Says where both bools hold. */
export const logicalAnd: BinaryFunction = comparison(
  "logicalAnd",
  "&",
  (a, b) => a !== 0 && b !== 0,
  "bool",
);
/** Says where at least one bool holds. */
export const logicalOr: BinaryFunction = comparison(
  "logicalOr",
  "|",
  (a, b) => a !== 0 || b !== 0,
  "bool",
);
/** Says where one of two bools holds and the other does not. */
export const logicalXor: BinaryFunction = comparison(
  "logicalXor",
  (m, a, b) => m.call("!", m.call("==", a, b)),
  (a, b) => a !== b,
  "bool",
);

/** Says where a bool does not hold. */
export const logicalNot: UnaryFunction = unary({
  name: "logicalNot",
  domain: "bool",
  js: (x) => (x === 0 ? 1 : 0),
  formula: "!",
  vjp: null,
});
