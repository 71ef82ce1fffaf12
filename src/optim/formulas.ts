import { getOrInsert } from "../core/get-or-insert.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, neg } from "../ops/arithmetic.ts";
import { stretch } from "../ops/broadcast.ts";
import { inShape } from "../ops/reshape.ts";
import { slice, stack } from "../ops/slice.ts";
import { expm1 } from "../ops/unary.ts";

/** Adds λ p, the gradient of the penalty λ/2 ‖p‖², to a gradient or a direction. */
export function penalized(g: Tensor, p: Tensor, weightDecay: number): Tensor {
  return weightDecay > 0 ? add(g, mul(p, weightDecay)) : g;
}

/** Moves a mean on: β mean + (1 − β) x. */
export function averaged(mean: Tensor, x: Tensor, beta: number): Tensor {
  if (beta === 0) return x; // even where the mean has become infinite
  return add(mul(mean, beta), mul(x, 1 - beta));
}

/** 1 − βᵗ = −expm1(t ln β), which does not cancel where βᵗ is near 1; t counts from 1. */
export function biasCorrection(beta: number, t: Tensor): Tensor {
  const logBeta = Math.log(Math.max(beta, Number.MIN_VALUE)); // ln 0 = −∞ is no WGSL number
  return neg(expm1(mul(t, logBeta)));
}

/**
 * Lets scalars be read from one tensor, so that each kernel that uses them takes one buffer.
 * @returns what gives them in the shape of a tensor: the same ones to all tensors of that shape.
 */
export function packScalars(scalars: readonly Tensor[]): (like: Tensor) => readonly Tensor[] {
  const packed = stack(scalars);
  const own = scalars.map((_, i) => inShape(slice(packed, [{ start: i, end: i + 1 }]), []));
  const known = new Map<string, readonly Tensor[]>();
  return ({ shape }) => getOrInsert(known, `${shape}`, () => own.map((x) => stretch(x, shape)));
}
