import { transposed } from "../core/advice.ts";
import { ShapeError } from "../core/errors.ts";
import { broadcastShapes, formatShape, sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { productParts } from "../kernels/choose.ts";
import { products } from "../kernels/matmul.ts";
import { broadcastTo } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { permute, reshape, transpose } from "./reshape.ts";

/** y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n]. */
const matmulOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "matmul",
  infer: ([a, b]) => ({ shape: [a.shape[0], a.shape[1], b.shape[2]], dtype: a.dtype }),
  cpu: (y, [a, b]) => {
    const [batch, m, n] = y.shape;
    const k = a.shape[2];
    let at = 0;
    for (let i = 0; i < batch; i++) {
      for (let row = 0; row < m; row++) {
        for (let column = 0; column < n; column++) {
          let sum = 0; // in float64
          for (let p = 0; p < k; p++) sum += element(a, i, row, p) * element(b, i, p, column);
          y.data[at++] = sum;
        }
      }
    }
  },
  loop: "matmul",
  ofNothing: 0,
  flops: ([a], y) => 2 * sizeOf(y.shape) * a.shape[2],
  form: {
    kind: "kernel",
    family: products,
    problem: ({ inputs: [a], y: { shape, dtype } }) => {
      const [BATCH, M, N] = shape;
      return { dtype, BATCH, M, N, K: a.shape[2] };
    },
  },
  lower: ([a, b], _, traits) => {
    const [batch, m, k] = a.shape;
    const n = b.shape[2];
    const parts = productParts({ BATCH: batch, M: m, N: n, K: k }, traits);
    if (parts === 1) return null;
    // y = Σ_p a[:, p] · b[p, :], which more workgroups compute than there are tiles of y.
    const depth = k / parts;
    const columns = permute(reshape(a, [batch, m, parts, depth]), [0, 2, 1, 3]);
    const left = reshape(columns, [batch * parts, m, depth]);
    const right = reshape(b, [batch * parts, depth, n]);
    const y = apply(matmulOp, [left, right], NO_ATTRIBUTES);
    return [sum(reshape(y, [batch, parts, m, n]), { axis: 1 })];
  },
  vjp: (g, { inputs: [a, b] }) => [
    apply(matmulOp, [g, transpose(b)], NO_ATTRIBUTES),
    apply(matmulOp, [transpose(a), g], NO_ATTRIBUTES),
  ],
});

function element({ data, offset, strides }: Strided, i: number, row: number, column: number) {
  return data[offset + i * strides[0] + row * strides[1] + column * strides[2]];
}

/**
 * Multiplies matrices: `[…, m, k]` by `[…, k, n]` gives `[…, m, n]`; the leading axes broadcast.
 * A vector `[k]` counts as one row on the left and one column on the right, and its axis goes.
 * Transposed operands are read in place.
 * @throws ShapeError when the inner sizes differ.
 * @example matmul(x, w); // [100, 784] · [784, 50]
 */
export function matmul(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkArguments("matmul(a, b)", [a, b], surplus);
  checkOperands(a, b);
  const left = a.rank === 1 ? reshape(a, [1, a.shape[0]]) : a;
  const right = b.rank === 1 ? reshape(b, [b.shape[0], 1]) : b;
  const [m, k] = left.shape.slice(-2);
  const n = right.shape[right.rank - 1];
  const outer = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
  const batch = sizeOf(outer);
  const x = reshape(broadcastTo(left, [...outer, m, k]), [batch, m, k]);
  const w = reshape(broadcastTo(right, [...outer, k, n]), [batch, k, n]);
  const rows = a.rank === 1 ? [] : [m];
  const columns = b.rank === 1 ? [] : [n];
  return reshape(apply(matmulOp, [x, w], NO_ATTRIBUTES), [...outer, ...rows, ...columns]);
}

function checkOperands(a: Tensor, b: Tensor): void {
  checkDomain("matmul", a.dtype, "float");
  checkSameDType("matmul", a, b);
  const shapes = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(
      `matmul: shapes ${shapes}; expected at least one axis each. Use mul for scalars`,
    );
  }
  const k = a.shape[a.rank - 1];
  const other = b.shape[Math.max(0, b.rank - 2)];
  if (k === other) return;
  throw new ShapeError(
    `matmul: shapes ${shapes} do not multiply (${k} vs ${other}); ` +
      `expected [m, k] and [k, n]${transposed(b.shape, k)}`,
  );
}
