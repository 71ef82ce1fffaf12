import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { attention } from "../../support/attention.ts";
import { bools, x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

const { scaledDotProductAttention: attend } = ops;
const INDEPENDENT = "an independent program, term by term in float64";
const NONE = Number.NEGATIVE_INFINITY;

const q = [
  [0.5, -1, 2],
  [1.5, 0.25, -0.5],
  [-2, 1, 0.75],
];
const k = [
  [1, 0.5, -1],
  [-0.25, 2, 0.5],
  [0.75, -1.5, 1],
  [2, 0, -0.5],
];
const v = [
  [1, -2],
  [0.5, 4],
  [-3, 1],
  [2, 0.25],
];
const near = [
  [1, 0, 1, 1],
  [0, 0, 0, 0],
  [0, 1, 1, 0],
];
const added = [
  [0.5, NONE, -1, 2],
  [NONE, NONE, NONE, NONE],
  [0, 1, NONE, 0.25],
];
const three = (t: Make) => [t(q), t(k), t(v)] as const;

export const attentionCases = {
  scaledDotProductAttention: {
    calls: [
      { inputs: [x(2, 3, 7, 8), x(2, 3, 7, 8), x(2, 3, 7, 8)], run: (a, b, c) => attend(a, b, c) },
      {
        inputs: [x(2, 33, 12), x(2, 33, 12), x(2, 33, 5)],
        run: (a, b, c) => attend(a, b, c, { causal: true }),
        scale: 2,
      },
      {
        inputs: [x(5, 4), x(2, 9, 4), x(9, 3), bools(2, 1, 9)],
        run: (a, b, c, mask) => attend(a, b, c, { mask, scale: 2 }),
        scale: 4,
      },
      {
        inputs: [x(3, 2, 4), x(3, 6, 4), x(3, 6, 4), x(2, 6)],
        run: (a, b, c, mask) => attend(a, b, c, { mask, causal: true }),
        scale: 2,
      },
      {
        inputs: [x(2, 6, 5, 4), x(2, 2, 6, 4), x(2, 2, 6, 3), bools(6, 5, 6)],
        run: (a, b, c, mask) => attend(a, b, c, { mask, groupedHeads: true }),
        scale: 4,
      },
      {
        inputs: [x(2, 5, 4), x(2, 6, 4), x(2, 6, 3), { shape: [], dtype: "u32", low: 0, high: 99 }],
        run: (a, b, c, step) => attend(a, b, c, { causal: true, dropout: 0.4, seed: 3, step }),
        scale: 2,
      },
      {
        inputs: [x(9, 2, 4), x(7, 2, 4), x(7, 2, 4)],
        run: (...all) => {
          const [a, b, c] = all.map((y) => ops.permute(y, [1, 0, 2]));
          return attend(a, b, c);
        },
      },
      { inputs: [x(2, 0, 3), x(2, 4, 3), x(2, 4, 3)], run: (a, b, c) => attend(a, b, c) },
      { inputs: [x(2, 3, 3), x(2, 0, 3), x(2, 0, 2)], run: (a, b, c) => attend(a, b, c) },
    ],
    golden: [
      { run: (t) => attend(...three(t)), is: attention(q, k, v), by: INDEPENDENT },
      {
        run: (t) => attend(...three(t), { causal: true, scale: 0.3 }),
        is: attention(q, k, v, { scale: 0.3 }, (i, j) => j <= i),
        by: INDEPENDENT,
      },
      {
        run: (t) => attend(...three(t), { mask: t(near, "bool") }),
        is: attention(q, k, v, {}, (i, j) => near[i][j] === 1),
        by: `${INDEPENDENT}; a row that attends to nothing gives zeros`,
      },
      {
        run: (t) => attend(...three(t), { mask: t(near, "bool"), causal: true }),
        is: attention(q, k, v, {}, (i, j) => j <= i && near[i][j] === 1),
        by: INDEPENDENT,
      },
      {
        run: (t) => attend(...three(t), { mask: t(added) }),
        is: attention(q, k, v, { added: (i, j) => added[i][j] }),
        by: INDEPENDENT,
      },
      {
        run: (t) => attend(t([q, k.slice(1)]), t([k]), t([v]), { groupedHeads: true }),
        is: [attention(q, k, v), attention(k.slice(1), k, v)],
        by: INDEPENDENT,
      },
      {
        run: (t) =>
          attend(t([q, q, q, q]), t([k, k.slice().reverse()]), t([v, v]), { groupedHeads: true }),
        is: [k, k, k.slice().reverse(), k.slice().reverse()].map((own) => attention(q, own, v)),
        by: `${INDEPENDENT}; neighbours share a head`,
      },
      {
        run: (t) => {
          const eye = ops.eye(6, 6, { dtype: t(0).dtype, device: t(0).device });
          const all = ops.zeros([4, 2], { dtype: eye.dtype, device: eye.device });
          const y = attend(all, ops.zeros([6, 2], eye), eye, { dropout: 0.25, seed: 8 });
          const kept = ops.dropout(ops.full([4, 6], 1 / 6, eye), 0.25, { seed: 8 });
          return ops.max(ops.abs(ops.sub(y, kept)));
        },
        is: 0,
        by: "what dropout leaves of equal weights",
      },
    ],
    rejects: [
      {
        run: (t) => attend(t([1]), t([[1]]), t([[1]])),
        says: "scaledDotProductAttention: shapes [1], [1, 1], [1, 1]; expected […, l, e], […, s, e], […, s, n]",
      },
      {
        run: (t) => attend(t([[1]]), t([[1, 2]]), t([[1]])),
        says: "scaledDotProductAttention: shapes [1, 1], [1, 2], [1, 1]; expected […, l, e], […, s, e], […, s, n]",
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1], [2]])),
        says: "scaledDotProductAttention: shapes [1, 1], [1, 1], [2, 1]; expected […, l, e], […, s, e], […, s, n]",
      },
      {
        run: (t) => attend(t([[1]], "i32"), t([[1]]), t([[1]])),
        says: "scaledDotProductAttention: dtype i32; expected f32, f64",
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1]], "i32")),
        says: "scaledDotProductAttention: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1]]), { mask: t([[1]], "i32") }),
        says: "scaledDotProductAttention: mask has dtype i32; expected bool or FLOAT",
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1]]), { mask: t([true, false]) }),
        says: "scaledDotProductAttention: mask [2]; expected what broadcasts to [1, 1]",
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1]]), { groupedHeads: true }),
        says: "scaledDotProductAttention: no heads of q for none of k and v; expected a multiple",
      },
      {
        run: (t) =>
          attend(t([[[1]], [[1]], [[1]]]), t([[[1]], [[1]]]), t([[[1]], [[1]]]), {
            groupedHeads: true,
          }),
        says: "scaledDotProductAttention: 3 heads of q for 2 of k and v; expected a multiple",
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1]]), { dropout: 1 }),
        says: "scaledDotProductAttention: dropout 1; expected a number from 0 and below 1",
        error: GradusError,
      },
      {
        run: (t) => attend(t([[1]]), t([[1]]), t([[1]]), { scale: Number.NaN }),
        says: "scaledDotProductAttention: scale NaN; expected a finite number",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
