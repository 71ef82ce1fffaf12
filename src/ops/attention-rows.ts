import { is } from "../core/dtype.ts";
import type { Key } from "../core/random.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { equal, lessEqual, notEqual } from "./compare.ts";
import { iota } from "./creation.ts";
import { dropElements } from "./dropout.ts";
import { matmul } from "./matmul.ts";
import { max } from "./reduce.ts";
import { inShape, withAxes } from "./reshape.ts";
import { softmax } from "./softmax.ts";
import { where } from "./where.ts";

/** What attends to what, in shapes of kernels: of each of b parts r heads of q share k and v. */
export interface Attention {
  /** `[b, r, l, e]`. */
  readonly q: Tensor;
  /** `[b, s, e]`. */
  readonly k: Tensor;
  /** `[b, s, n]`. */
  readonly v: Tensor;
  /** `[b, r, l, s]`: bools, or numbers to add. */
  readonly mask: Tensor | null;
  /** Whether row i attends to rows j ≤ i only. */
  readonly causal: boolean;
  readonly scale: number;
  readonly dropout: { readonly rate: number; readonly key: Key; readonly step: Tensor } | null;
}

const NONE = Number.NEGATIVE_INFINITY;
const ROW = { axis: -1, keepDims: true };

/** `scale · q · kᵀ` and what the mask adds, −∞ where nothing is attended: `[b, r, l, s]`. */
function scoresOf({ q, k, mask, causal, scale }: Attention): Tensor {
  const [b, r, l, e] = q.shape;
  const s = k.shape[1];
  const products = matmul(inShape(q, [b, r * l, e]), withAxes(k, [0, 2, 1]));
  let scores = mul(inShape(products, [b, r, l, s]), scale);
  if (mask) {
    scores = is(mask.dtype, "bool")
      ? where(mask, scores, NONE)
      : where(equal(mask, NONE), NONE, add(scores, mask));
  }
  if (!causal) return scores;
  const row = inShape(iota(l, "i32", q.device), [l, 1]);
  return where(lessEqual(iota(s, "i32", q.device), row), scores, NONE);
}

/** softmax(scores) along rows; 0 where all of a row is −∞. */
function weightsOf(attention: Attention): Tensor {
  const scores = scoresOf(attention);
  if (!attention.mask || scores.size === 0) return softmax(scores);
  const isAlive = notEqual(max(scores, ROW), NONE);
  return where(isAlive, softmax(where(isAlive, scores, 0)), 0);
}

/** y = softmax(scores) · v, `[b, r, l, n]`. */
export function attended(attention: Attention): Tensor {
  const { q, v, dropout } = attention;
  const [b, r, l] = q.shape;
  const [, s, n] = v.shape;
  const weights = weightsOf(attention);
  const kept = dropout ? dropElements(weights, dropout.rate, dropout.step, dropout.key) : weights;
  return inShape(matmul(inShape(kept, [b, r * l, s]), v), [b, r, l, n]);
}
