import { dtypeOfArray } from "../core/array-dtype.ts";
import { DTYPES } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Family, KernelContext, KernelForm } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import { grad } from "../graph/grad.ts";
import { identity } from "../graph/identity.ts";
import { jointly } from "../graph/jointly.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, applyAll, type Tensor } from "../graph/tensor.ts";
import { attentionKeys, attentionQueries, attentionRows } from "../kernels/attention.ts";
import { isWholeAttention } from "../kernels/choose-attention.ts";
import type { AttentionProblem } from "../kernels/problems.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { drawRow, shareFormula } from "./attention-drop.ts";
import {
  type AttentionAttributes,
  attentionByProducts,
  keyGradients,
  maskGradient,
  queryGradient,
} from "./attention-parts.ts";
import { zerosLike } from "./like.ts";
import { sum } from "./reduce.ts";

/** Elements of `[b, rows, columns]`, and of `[b, rows]`. */
function elementOf(
  { data, offset, strides }: Strided,
  part: number,
  row: number,
  column = 0,
): number {
  return data[offset + part * strides[0] + row * strides[1] + column * (strides[2] ?? 0)];
}

/** Σ_c x[part, row, c] · y[part, other, c], in float64. */
function product(x: Strided, y: Strided, part: number, row: number, other: number): number {
  let total = 0;
  for (let c = 0; c < x.shape[2]; c++)
    total += elementOf(x, part, row, c) * elementOf(y, part, other, c);
  return total;
}

/**
 * The scores of one row of q with all of k, −∞ where it does not attend, as if they were stored: what
 * is stored is the logarithm of their sum, from which each must differ by no more than they do.
 */
function scoreRow(
  [q, k, , mask]: readonly Strided[],
  { length, causal, masked, scale }: AttentionAttributes,
  part: number,
  row: number,
): Float64Array {
  const { convert } = DTYPES[dtypeOfArray("attention", k.data)];
  return Float64Array.from({ length: k.shape[1] }, (_, key) => {
    const added = masked ? elementOf(mask, part, row, key) : 0;
    if (added === Number.NEGATIVE_INFINITY || (causal && key > row % length)) {
      return Number.NEGATIVE_INFINITY;
    }
    return convert(scale * product(q, k, part, row, key) + added);
  });
}

/** log Σ e^score. */
function logSum(scores: Float64Array): number {
  const maximum = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (maximum === Number.NEGATIVE_INFINITY) return maximum;
  const shift = Math.min(maximum, Number.MAX_VALUE); // ∞ − ∞ would be NaN
  return shift + Math.log(scores.reduce((total, score) => total + Math.exp(score - shift), 0));
}

/** A row's weights, what dropping leaves of a number of each, and those weights' cotangents. */
interface Weighed {
  readonly weights: Float64Array;
  share(x: number, key: number): number;
}

function weigh(
  inputs: readonly Strided[],
  attributes: AttentionAttributes,
  part: number,
  row: number,
  lse?: number,
): Weighed & { readonly lse: number } {
  const { rate } = attributes;
  const scores = scoreRow(inputs, attributes, part, row);
  const total = lse ?? logSum(scores);
  const weights = scores.map((x) => Math.exp(x - (total === Number.NEGATIVE_INFINITY ? 0 : total)));
  const [q, k, , , words] = inputs;
  const draws = rate > 0 ? drawRow(words, part, row, q.shape[1], k.shape[1]) : null;
  const share = (x: number, key: number) => {
    if (!draws) return x;
    return draws[key] < 1 - rate ? x / (1 - rate) : 0;
  };
  return { weights, share, lse: total };
}

/** ds[key] = p (share(g · v) − delta); 0 where p is. */
function slopeRow(
  [, , v, , , g, , delta]: readonly Strided[],
  { weights, share }: Weighed,
  part: number,
  row: number,
): Float64Array {
  return weights.map((weight, key) => {
    if (weight === 0) return 0;
    return weight * (share(product(g, v, part, row, key), key) - elementOf(delta, part, row));
  });
}

/** Visits all rows of q. */
function forEachQuery(q: Strided, visit: (part: number, row: number) => void): void {
  const [batch, rows] = q.shape;
  for (let part = 0; part < batch; part++) for (let row = 0; row < rows; row++) visit(part, row);
}

function attentionProblem({
  inputs,
  attributes,
}: KernelContext<AttentionAttributes>): AttentionProblem {
  const [q, k, v] = inputs;
  const [BATCH, ROWS, DEPTH] = q.shape;
  const [, KEYS, WIDTH] = v.shape;
  const { length, causal, masked, rate } = attributes;
  return {
    dtype: k.dtype,
    BATCH,
    ROWS,
    LENGTH: length,
    KEYS,
    DEPTH,
    WIDTH,
    CAUSAL: Number(causal),
    MASKED: Number(masked),
    DROPS: Number(rate > 0),
  };
}

/* @__NO_SIDE_EFFECTS__ */
function formOf(family: Family<AttentionProblem>): KernelForm<AttentionAttributes> {
  return {
    kind: "kernel",
    batching: "rows",
    family: family as Family,
    problem: attentionProblem,
    functions: (_, { scale, rate }) => ({
      scaled: (m, x) => m.call("*", x, m.number(scale)),
      share: shareFormula(rate),
    }),
  };
}

/** Says of what products an op is made where its kernel does not suit the sizes. */
/* @__NO_SIDE_EFFECTS__ */
function byProducts(
  made: (inputs: readonly Tensor[], attributes: AttentionAttributes) => readonly Tensor[],
) {
  return {
    composed: made,
    lower: (inputs: readonly Tensor[], attributes: AttentionAttributes, _: Traits) => {
      const problem = attentionProblem({ inputs, y: inputs[0], attributes });
      return isWholeAttention(problem) ? null : made(inputs, attributes);
    },
  };
}

/** Two products of each pair of rows, and an exponential. */
const pairFlops =
  (products: number) =>
  ([q, , v]: readonly TensorType[]): number => {
    const pairs = sizeOf(q.shape.slice(0, 2)) * v.shape[1];
    return pairs * (products * (q.shape[2] + v.shape[2]) + 20);
  };

/** The cotangents of the first inputs of a function of public ops. */
function gradientsOf(
  inputs: readonly Tensor[],
  places: readonly number[],
  made: (inputs: readonly Tensor[]) => Tensor,
): (Tensor | null)[] {
  const own = inputs.map((x) => apply(identity, [x], NO_ATTRIBUTES));
  const found = grad(
    made(own),
    places.map((i) => own[i]),
  );
  return inputs.map((_, i) => found[places.indexOf(i)] ?? null);
}

/** Places of inputs that have gradients: q, k, v, the mask if there is one, g, lse and delta. */
function targetsOf({ masked }: AttentionAttributes, without: readonly number[] = []): number[] {
  return [0, 1, 2, ...(masked ? [3] : []), 5, 6, 7].filter((i) => !without.includes(i));
}

/** dq[row] = scale Σ_key ds[row, key] · k[key], of q, k, v, mask, words, g, lse and delta. */
const queryGradientOp: OpDefinition<AttentionAttributes> = defineOp<AttentionAttributes>({
  name: "attentionQueryGradient",
  cpu: (y, inputs, attributes) => {
    const [q, k, , , , , lse] = inputs;
    const { scale } = attributes;
    const depth = q.shape[2];
    let place = 0;
    forEachQuery(q, (part, row) => {
      const own = weigh(inputs, attributes, part, row, elementOf(lse, part, row));
      const slopes = slopeRow(inputs, own, part, row);
      for (let c = 0; c < depth; c++) {
        y.data[place++] =
          scale * slopes.reduce((sum, ds, j) => sum + ds * elementOf(k, part, j, c), 0);
      }
    });
  },
  flops: pairFlops(3),
  form: formOf(attentionQueries),
  ...byProducts((inputs, attributes) => [queryGradient(inputs, attributes)]),
  vjp: (h, { inputs, attributes }) => {
    return gradientsOf(inputs, targetsOf(attributes), (own) => {
      return sum(mul(queryGradient(own, attributes), h));
    });
  },
});

/** dk[key] = scale Σ_row ds[row, key] · q[row], dv[key] = Σ_row share(p[row, key]) · g[row]. */
const keyGradientOp: OpDefinition<AttentionAttributes> = defineOp<AttentionAttributes>({
  name: "attentionKeyGradient",
  infer: ([, k, v]) => [k, v].map(({ shape, dtype }) => ({ shape, dtype })),
  cpuAll: ([dk, dv], inputs, attributes) => {
    const [q, k, v, , , g, lse] = inputs;
    const { scale } = attributes;
    const [, keys, depth] = k.shape;
    const width = v.shape[2];
    const [ofK, ofV] = [k, v].map(({ shape }) => new Float64Array(sizeOf(shape)));
    forEachQuery(q, (part, row) => {
      const own = weigh(inputs, attributes, part, row, elementOf(lse, part, row));
      const slopes = slopeRow(inputs, own, part, row);
      for (let key = 0; key < keys; key++) {
        const first = part * keys + key;
        const kept = own.share(own.weights[key], key);
        for (let c = 0; c < depth; c++)
          ofK[first * depth + c] += slopes[key] * elementOf(q, part, row, c);
        for (let c = 0; c < width; c++) ofV[first * width + c] += kept * elementOf(g, part, row, c);
      }
    });
    dk?.data.set(ofK.map((x) => scale * x));
    dv?.data.set(ofV);
  },
  flops: pairFlops(2),
  form: formOf(attentionKeys),
  ...byProducts(keyGradients),
  vjp: null,
  vjpAll: jointly(([hk, hv], { inputs, attributes }) => {
    // v and delta are in dk alone.
    const targets = targetsOf(attributes, hk ? [] : [2, 7]);
    return gradientsOf(inputs, targets, (own) => {
      const [dk, dv] = keyGradients(own, attributes);
      const parts = [...(hk ? [mul(dk, hk)] : []), ...(hv ? [mul(dv, hv)] : [])];
      return parts.map((part) => sum(part)).reduce((a, b) => add(a, b));
    });
  }),
});

/** y[row] = Σ_key share(p[row, key]) · v[key], lse[row] = log Σ_key e^score[row, key]. */
const attentionOp: OpDefinition<AttentionAttributes> = defineOp<AttentionAttributes>({
  name: "attention",
  infer: ([q, , v]) => {
    const [batch, rows] = q.shape;
    const type = { dtype: q.dtype };
    return [
      { shape: [batch, rows, v.shape[2]], ...type },
      { shape: [batch, rows], ...type },
    ];
  },
  cpuAll: ([y, lse], inputs, attributes) => {
    const [q, , v] = inputs;
    const width = v.shape[2];
    let place = 0;
    forEachQuery(q, (part, row) => {
      const own = weigh(inputs, attributes, part, row);
      const kept = own.weights.map(own.share);
      for (let c = 0; y && c < width; c++) {
        const first = place * width + c;
        y.data[first] = kept.reduce((sum, weight, j) => sum + weight * elementOf(v, part, j, c), 0);
      }
      if (lse) lse.data[place] = own.lse;
      place++;
    });
  },
  flops: pairFlops(2),
  form: formOf(attentionRows),
  ...byProducts(attentionByProducts),
  vjp: null,
  vjpAll: jointly(([g, gLse], { inputs, attributes, results: [y, lse] }) => {
    const own = g ?? zerosLike(y);
    // ds = p ⊙ (share(g · vᵀ) − delta) with delta = Σ g ⊙ y, less the cotangent of lse
    const given = sum(mul(own, y), { axis: 2 });
    const all = [...inputs, own, lse, gLse ? sub(given, gLse) : given];
    const dq = apply(queryGradientOp, all, attributes);
    const [dk, dv] = applyAll(keyGradientOp, all, attributes);
    return [dq, dk, dv, attributes.masked ? maskGradient(all, attributes) : null, null];
  }),
});

/**
 * Averages rows of v by the weights that rows of q and k have for each other: `[b, m, n]`.
 * @param inputs q `[b, m, e]`, k `[b, s, e]`, v `[b, s, n]`, a mask `[b, m, s]` to add and words `[b, 4]`.
 */
export function attend(inputs: readonly Tensor[], attributes: AttentionAttributes): Tensor {
  const isEmpty = inputs.slice(0, 3).some(({ size }) => size === 0);
  return isEmpty
    ? attentionByProducts(inputs, attributes)[0]
    : applyAll(attentionOp, inputs, attributes)[0];
}
