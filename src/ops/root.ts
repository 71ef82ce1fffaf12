import type { Tensor } from "../graph/tensor.ts";
import { lessEqual } from "./compare.ts";
import { sqrt } from "./unary.ts";
import { where } from "./where.ts";

/** Computes √x where x > 0; from 0 down it is 0 with the slope 0, where √ has none. NaN stays. */
export function safeSqrt(x: Tensor): Tensor {
  const flat = lessEqual(x, 0);
  return where(flat, 0, sqrt(where(flat, 1, x)));
}
