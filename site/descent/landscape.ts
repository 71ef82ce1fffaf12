/** A formula as a function of tensors, so that its gradient is that of automatic differentiation. */
import { abs, add, cos, div, exp, log, mul, neg, pow, sin, sqrt, sub, type Tensor } from "gradus";
import type { Formula } from "./formula.ts";

const FUNCTIONS = { sin, cos, exp, log, sqrt, abs } as const;
const OPERATIONS = { "+": add, "-": sub, "*": mul, "/": div, "^": pow } as const;

// #region evaluate
/** Computes a formula at places x and y, of any one shape. */
export function evaluateFormula(formula: Formula, x: Tensor, y: Tensor): Tensor {
  const value = (part: Formula): Tensor | number => {
    if (part.kind === "number") return part.value;
    if (part.kind === "variable") return part.name === "x" ? x : y;
    if (part.kind === "negative") return neg(tensorOf(value(part.of)));
    if (part.kind === "function") return FUNCTIONS[part.name](tensorOf(value(part.of)));
    return OPERATIONS[part.name](tensorOf(value(part.left)), value(part.right));
  };
  const tensorOf = (value: Tensor | number) => (typeof value === "number" ? filled(value) : value);
  const filled = (value: number) => add(mul(x, 0), value);
  return add(tensorOf(value(formula)), mul(add(x, y), 0)); // so that it depends on both
}
// #endregion
