import { SCALARS, transposed } from "../core/advice.ts";
import { ShapeError } from "../core/errors.ts";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { productParts } from "../kernels/choose.ts";
import { moreTiles, products } from "../kernels/matmul.ts";
import type { ProductProblem } from "../kernels/problems.ts";
import { stretch } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { inShape, withAxes } from "./reshape.ts";

/** y[m, n] = Σ_k a[m, k] · b[k, n], of matrices or of stacks `[b, m, k]` and `[b, k, n]` of such. */
const matmulOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "matmul",
  infer: ([a, b]) => ({ shape: productShape(a.shape, b.shape), dtype: a.dtype }),
  cpu: (y, [a, b]) => {
    const { BATCH, M, N, K } = sizesOf(a.shape, b.shape);
    let at = 0;
    for (let i = 0; i < BATCH; i++) {
      for (let row = 0; row < M; row++) {
        for (let column = 0; column < N; column++) {
          let sum = 0; // in float64
          for (let p = 0; p < K; p++) sum += element(a, i, row, p) * element(b, i, p, column);
          y.data[at++] = sum;
        }
      }
    }
  },
  loop: "matmul",
  ofNothing: 0,
  flops: ([a], y) => 2 * sizeOf(y.shape) * a.shape.slice(-1)[0],
  form: {
    kind: "kernel",
    batching: "product",
    family: products,
    problem: ({ inputs: [a, b], y: { dtype } }) => ({ dtype, ...sizesOf(a.shape, b.shape) }),
  },
  lower: ([a, b], _, traits) => {
    const sizes = sizesOf(a.shape, b.shape);
    const parts = productParts(sizes, traits);
    if (parts === 1) return null;
    // y = Σ_p a[:, p] · b[p, :], which more workgroups compute than there are tiles of y.
    const { BATCH, M, N, K } = sizes;
    const depth = K / parts;
    const columns = withAxes(inShape(a, [BATCH, M, parts, depth]), [0, 2, 1, 3]);
    const left = inShape(columns, [BATCH * parts, M, depth]);
    const right = inShape(b, [BATCH * parts, depth, N]);
    const y = apply(matmulOp, [left, right], NO_ATTRIBUTES);
    const all = inShape(y, [BATCH, parts, M * N]);
    const total = moreTiles.loaded?.sumParts(all, traits, apply) ?? sum(all, { axis: 1 });
    return [inShape(total, productShape(a.shape, b.shape))];
  },
  vjp: (g, { inputs: [a, b] }) => [
    apply(matmulOp, [g, turned(b)], NO_ATTRIBUTES),
    apply(matmulOp, [turned(a), g], NO_ATTRIBUTES),
  ],
});

/** Matrices with rows and columns swapped. */
function turned(x: Tensor): Tensor {
  return withAxes(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
}

/** The sizes of a product of matrices, or of stacks of such. */
function sizesOf(a: Shape, b: Shape): Omit<ProductProblem, "dtype"> {
  const [M, K] = a.slice(-2);
  return { BATCH: sizeOf(a.slice(0, -2)), M, N: b.slice(-1)[0], K };
}

function productShape(a: Shape, b: Shape): Shape {
  return [...a.slice(0, -1), ...b.slice(-1)];
}

function element({ data, offset, strides }: Strided, i: number, row: number, column: number) {
  const [down, right] = strides.slice(-2);
  return data[offset + i * strides[0] + row * down + column * right];
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
  const left = a.rank === 1 ? inShape(a, [1, a.shape[0]]) : a;
  const right = b.rank === 1 ? inShape(b, [b.shape[0], 1]) : b;
  const [m, k] = left.shape.slice(-2);
  const n = right.shape[right.rank - 1];
  const outer = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
  const count = sizeOf(outer);
  const x = stretch(left, [...outer, m, k]);
  // One matrix multiplies the rows of all at once, so that its gradient is one product too.
  const operands =
    sizeOf(right.shape.slice(0, -2)) === 1
      ? [inShape(x, [count * m, k]), inShape(right, [k, n])]
      : [inShape(x, [count, m, k]), inShape(stretch(right, [...outer, k, n]), [count, k, n])];
  const rows = a.rank === 1 ? [] : [m];
  const columns = b.rank === 1 ? [] : [n];
  return inShape(apply(matmulOp, operands, NO_ATTRIBUTES), [...outer, ...rows, ...columns]);
}

function checkOperands(a: Tensor, b: Tensor): void {
  checkDomain("matmul", a.dtype, "float");
  checkSameDType("matmul", a, b);
  const shapes = () => `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(`matmul: shapes ${shapes()}; expected at least one axis each${SCALARS}`);
  }
  const k = a.shape[a.rank - 1];
  const other = b.shape[Math.max(0, b.rank - 2)];
  if (k === other) return;
  throw new ShapeError(
    `matmul: shapes ${shapes()} do not multiply (${k} vs ${other}); ` +
      `expected [m, k] and [k, n]${transposed(b.shape, k)}`,
  );
}
