import { grad, type Tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { N, type Unary } from "./op-calls.ts";
import type { Call, Golden } from "./op-case.ts";

/** Where functions of one number bend or end, and NaN. */
export const PLACES = [
  -1e38,
  -1e4,
  -120,
  -89,
  -20,
  -3,
  -2.5,
  -1,
  -0.5,
  -0.0625,
  0,
  0.0625,
  0.5,
  1,
  2.5,
  3,
  6,
  20,
  89,
  120,
  1e4,
  1e38,
  N,
];

/** A view of numbers around 0. */
export const around = (f: Unary): Call[] => [
  { inputs: [{ shape: [13, 5], low: -7, high: 8 }], run: (a) => f(ops.transpose(a)) },
];

/** Values and slopes of a function of one number, as a closed form in float64 gives them. */
export function valueAndSlope(
  f: Unary,
  value: (x: number) => number,
  slope: (x: number) => number,
  places: readonly number[] = PLACES,
): Golden {
  return {
    run: (t) => {
      const x = t([...places]);
      const y = f(x);
      return ops.stack([y, ...(grad(ops.sum(y), [x]) as Tensor[])]);
    },
    is: [places.map(value), places.map(slope)],
    by: "closed forms in float64",
  };
}
