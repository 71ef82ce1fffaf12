import { checkDecay, checkFinite, checkOptions, type Known } from "../core/check.ts";
import { is } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import type { Key } from "../core/random.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { dropWords } from "./attention-drop.ts";
import { attend } from "./attention-rows.ts";
import { canBroadcast, stretch } from "./broadcast.ts";
import { full, zeros } from "./creation.ts";
import { checkDomain, checkStep } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { keyOf } from "./random.ts";
import { inShape } from "./reshape.ts";
import { where } from "./where.ts";

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /**
   * What broadcasts to `[…, l, s]`: bools that hold where row i of q may attend to row j of k, or numbers
   * that are added to the scores, −∞ where it may not. All may when left out.
   */
  mask?: Tensor;
  /** Whether row i may attend to rows j ≤ i only, as the mask says and beside that; false when left out. */
  causal?: boolean;
  /** What scores are multiplied with; 1 / √e when left out. */
  scale?: number;
  /**
   * Whether q may have a multiple of the heads of k and v, the axis before the last two, of which as many
   * neighbours share one; false when left out.
   */
  groupedHeads?: boolean;
  /** The share of the weights that is dropped, from 0 and below 1; 0 when left out. */
  dropout?: number;
  /** Fixes what is dropped on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them; the default sequence's next when neither. */
  key?: Key;
  /** A u32 scalar, such as a `State` that each step raises: others are dropped at each; 0 when left out. */
  step?: Tensor;
}

const ATTENTION: Known<AttentionOptions> = {
  mask: true,
  causal: "boolean",
  scale: "number",
  groupedHeads: "boolean",
  dropout: true,
  seed: true,
  key: true,
  step: true,
};

const OP = "scaledDotProductAttention";

/** The leading axes of what attends, and how many neighbours on the last of them share one of k and v. */
interface Heads {
  /** Axes of the result before its rows. */
  readonly outer: Shape;
  /** Those of k and v. */
  readonly own: Shape;
  readonly repeats: number;
}

function headsOf(q: Tensor, k: Tensor, v: Tensor, isGrouped: boolean): Heads {
  const [a, b, c] = [q, k, v].map(({ shape }) => shape.slice(0, -2));
  const own = broadcastShapes(OP, b, c);
  if (!isGrouped) {
    const outer = broadcastShapes(OP, a, own);
    return { outer, own: outer, repeats: 1 };
  }
  const [heads, shared] = [a, own].map((shape) => shape[shape.length - 1]);
  if (heads === undefined || shared === undefined || !(heads % shared === 0)) {
    throw new ShapeError(
      `${OP}: ${heads ?? "no"} heads of q for ${shared ?? "none"} of k and v; expected a multiple`,
    );
  }
  const batch = broadcastShapes(OP, a.slice(0, -1), own.slice(0, -1));
  return { outer: [...batch, heads], own: [...batch, shared], repeats: heads / shared };
}

function checkInputs(q: Tensor, k: Tensor, v: Tensor): void {
  checkTensors(OP, [q, k, v]);
  checkDomain(OP, q.dtype, "float");
  for (const other of [k, v]) checkSameDType(OP, q, other);
  const fits = [q, k, v].every(({ rank }) => rank >= 2);
  const [, e] = q.shape.slice(-2);
  const [s, depth] = k.shape.slice(-2);
  if (fits && e === depth && v.shape[v.rank - 2] === s) return;
  const shapes = [q, k, v].map(({ shape }) => formatShape(shape)).join(", ");
  throw new ShapeError(`${OP}: shapes ${shapes}; expected […, l, e], […, s, e], […, s, n]`);
}

/** What is added to the scores of each row and head: 0 and −∞ for bools. */
function addedMask(q: Tensor, mask: Tensor | undefined, shape: Shape): Tensor {
  if (mask === undefined) return stretch(full([], 0, q), shape);
  checkTensors(OP, [mask]);
  if (!is(mask.dtype, "bool") && mask.dtype !== q.dtype) {
    throw new DTypeError(`${OP}: mask has dtype ${mask.dtype}; expected bool or ${q.dtype}`);
  }
  if (canBroadcast(mask.shape, shape)) {
    const isBool = is(mask.dtype, "bool");
    const none = full(mask.shape, Number.NEGATIVE_INFINITY, q);
    return stretch(isBool ? where(mask, 0, none) : mask, shape);
  }
  throw new ShapeError(
    `${OP}: mask ${formatShape(mask.shape)}; expected what broadcasts to ${formatShape(shape)}`,
  );
}

/**
 * Averages the rows of v for each row of q, by how well it fits the rows of k: softmax(q · kᵀ · scale +
 * mask) · v, as PyTorch's function of that name does. A row that may attend to none, or of which the
 * dtype has all scores as −∞, gives zeros and has no gradient. What is dropped is drawn where it is
 * needed, by the numbers of `uniformAt`.
 * Source: Vaswani et al. 2017, "Attention is all you need", eq. 1; Ainslie et al. 2023, "GQA: training
 * generalized multi-query transformer models from multi-head checkpoints", for heads in groups.
 * @param q floats `[…, l, e]`, such as `[batch, heads, length, e]`.
 * @param k of the same dtype, `[…, s, e]`; the leading axes broadcast.
 * @param v of the same dtype, `[…, s, n]`.
 * @returns `[…, l, n]`.
 * @throws ShapeError, DTypeError or GradusError for other inputs, masks, shares and scales.
 * @example
 * const q = ones([2, 4, 8, 16]); // batch, heads, length, e
 * scaledDotProductAttention(q, q, q, { causal: true }).shape; // [2, 4, 8, 16]
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions(OP, options, ATTENTION, surplus);
  checkInputs(q, k, v);
  const { causal = false, groupedHeads = false, dropout = 0 } = options;
  const [l, e] = q.shape.slice(-2);
  const [s, n] = v.shape.slice(-2);
  const { scale = 1 / Math.sqrt(Math.max(1, e)) } = options;
  checkFinite(OP, { scale });
  checkDecay(OP, { dropout });
  const { step = zeros([], { dtype: "u32", device: q.device }) } = options;
  checkStep(OP, step);
  const { outer, own, repeats } = headsOf(q, k, v, groupedHeads);
  const batch = sizeOf(own);
  const drop = dropout > 0 ? { rate: dropout, key: keyOf(OP, options), step } : null;
  const inputs = [
    inShape(stretch(q, [...outer, l, e]), [batch, repeats * l, e]),
    inShape(stretch(k, [...own, s, e]), [batch, s, e]),
    inShape(stretch(v, [...own, s, n]), [batch, s, n]),
    inShape(addedMask(q, options.mask, [...outer, l, s]), [batch, repeats * l, s]),
    dropWords(batch, drop, q),
  ];
  const masked = options.mask !== undefined;
  const y = attend(inputs, { length: l, causal, masked, scale, rate: dropout });
  return inShape(y, [...outer, l, n]);
}
