import { checkFinite, checkOptions, checkWords, type Known } from "../core/check.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, clip, mul, square } from "./arithmetic.ts";
import { greater } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { normalCdf } from "./error-function.ts";
import { expm1, sigmoid } from "./unary.ts";
import { where } from "./where.ts";

/**
 * Computes x for x > 0 and slope · x elsewhere; the gradient at 0 is the slope.
 * @param slope a finite number; 0.01 when left out.
 * Source: Maas, Hannun, Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".
 */
export function leakyRelu(x: Tensor, slope = 0.01, ...surplus: never[]): Tensor {
  checkArguments("leakyRelu(x, slope)", [x], surplus);
  checkDomain("leakyRelu", x.dtype, "float");
  checkFinite("leakyRelu", { slope });
  return where(greater(x, 0), x, mul(x, slope));
}

/**
 * Computes x for x > 0 and α · (eˣ − 1) elsewhere, without overflow; the gradient at 0 is α.
 * @param alpha a finite number; 1 when left out.
 * Source: Clevert, Unterthiner, Hochreiter 2016, "Fast and accurate deep network learning by
 * exponential linear units", eq. 15.
 */
export function elu(x: Tensor, alpha = 1, ...surplus: never[]): Tensor {
  checkArguments("elu(x, alpha)", [x], surplus);
  checkDomain("elu", x.dtype, "float");
  checkFinite("elu", { alpha });
  const positive = greater(x, 0);
  // The side that is not taken sees 0, so that neither it nor its gradient overflows.
  return where(positive, x, mul(expm1(where(positive, 0, x)), alpha));
}

/** Options of `gelu`. */
export interface GeluOptions {
  /** `"none"` for the exact form, as when left out, or `"tanh"`. */
  approximate?: "none" | "tanh";
}

/** The names of `gelu`'s options. */
export const GELU_OPTIONS: Known<GeluOptions> = { approximate: "string" };

/** √(2/π), doubled since (1 + tanh u) / 2 = σ(2u). */
const GELU_SCALE = 2 * Math.sqrt(2 / Math.PI);

/**
 * Computes x · Φ(x) with the probability Φ(x) that a standard normal variable is at most x, which
 * keeps its digits for negative x; with `approximate: "tanh"` its approximation within 5e-4,
 * x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
 * Source: Hendrycks & Gimpel 2016, "Gaussian error linear units", section 2.
 * @throws GradusError for an unknown approximation, DTypeError unless x holds floats.
 * @example
 * await gelu(tensor([0, 1])).toArray(); // about [0, 0.841]
 * await gelu(tensor([0, 1]), { approximate: "tanh" }).toArray(); // about [0, 0.841]
 */
export function gelu(x: Tensor, options: GeluOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("gelu", options, GELU_OPTIONS, surplus);
  checkTensors("gelu", [x]);
  const { approximate = "none" } = options;
  checkWords("gelu", { approximate }, ["none", "tanh"]);
  checkDomain("gelu", x.dtype, "float");
  if (approximate === "none") return gated(x, 40, normalCdf); // Φ(−40) is 0 in float64 too
  // σ is 0 or 1 in float64 too beyond ±32, where the cube would overflow in the end; as
  // x · σ(2√(2/π) · (x + 0.044715 x³)) the digits are kept for negative x.
  return gated(x, 32, (u) => sigmoid(mul(mul(u, add(mul(square(u), 0.044715), 1)), GELU_SCALE)));
}

/**
 * Computes x · σ(x).
 * Source: Elfwing, Uchibe, Doya 2018, "Sigmoid-weighted linear units for neural network function
 * approximation in reinforcement learning", eq. 4.
 */
export function silu(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("silu(x)", [x], surplus);
  checkDomain("silu", x.dtype, "float");
  return gated(x, 800, sigmoid); // σ(−800) is 0 in float64 too
}

/** x · gate(x), as x above a limit, where the gate is 1, and 0 below −limit, where it is 0. */
export function gated(x: Tensor, limit: number, gate: (u: Tensor) => Tensor): Tensor {
  const u = clip(x, -limit, limit);
  return where(greater(x, limit), x, mul(u, gate(u)));
}
