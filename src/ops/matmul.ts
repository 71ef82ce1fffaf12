import { transposed } from "../core/advice.ts";
import { ShapeError } from "../core/errors.ts";
import { OnDemand } from "../core/on-demand.ts";
import { broadcastShapes, formatShape, sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { KernelContext, Stage } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { broadcastTo } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { equalParts } from "./equal-parts.ts";
import { sum } from "./reduce.ts";
import { permute, reshape, transpose } from "./reshape.ts";
import { matmulShader } from "./shaders.ts";

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
    prologueCost: 1,
    stages: matmulStages,
  },
  lower: ([a, b], _, traits) => {
    const [batch, m, k] = a.shape;
    const n = b.shape[2];
    const parts = splitCount(batch, m, n, k, traits);
    if (parts === 1) return null;
    // y = Σ_p a[:, p] · b[p, :], which more workgroups compute than there are tiles of y.
    const depth = k / parts;
    const left = permute(reshape(a, [batch, m, parts, depth]), [0, 2, 1, 3]);
    const all = [left, b].map((x, i) => {
      return reshape(x, i === 0 ? [batch * parts, m, depth] : [batch * parts, depth, n]);
    });
    const y = reshape(apply(matmulOp, all, {}), [batch, parts, m, n]);
    return [sum(y, { axis: 1 })];
  },
  vjp: (g, { inputs: [a, b] }) => [
    apply(matmulOp, [g, transpose(b)], {}),
    apply(matmulOp, [transpose(a), g], {}),
  ],
});

function element({ data, offset, strides }: Strided, i: number, row: number, column: number) {
  return data[offset + i * strides[0] + row * strides[1] + column * strides[2]];
}

/** Direct loads add all of K in order, which rounds too often for longer sums. */
const LONGEST_DIRECT = 2 ** 17;
/** Outputs from which on the bigger tile of workgroup memory pays. */
const BIG = 512 * 512;

/** Fewer workgroups leave a GPU idle, so that long sums are cut for more. */
const FEW_GROUPS = 64;
const MANY_GROUPS = 256;
/** Elements that one part of a sum has at least, and a sum that is cut. */
const LEAST_DEPTH = 256;
const LONG_SUM = 4096;

/** In how many parts a product's sums are computed; all of one depth. */
function splitCount(batch: number, m: number, n: number, k: number, traits: Traits): number {
  const groups = Math.ceil(m / 32) * Math.ceil(n / 32) * batch;
  if (!traits.workgroupMemory || groups >= FEW_GROUPS || k < LONG_SUM) return 1;
  const most = Math.min(Math.ceil(MANY_GROUPS / groups), Math.floor(k / LEAST_DEPTH));
  return equalParts(k, most);
}

/**
 * Products by direct loads, which adapters want on which workgroup memory does not pay.
 * @internal
 */
export const directProducts = /* @__PURE__ */ new OnDemand(() => import("./matmul-direct.ts"));

function matmulStages(context: KernelContext<unknown>): readonly Stage[] {
  const { inputs, y, traits } = context;
  const [a, b] = inputs;
  const [batch, m, n] = y.shape;
  const k = a.shape[2];
  const wantsTiles = traits.workgroupMemory || k > LONGEST_DIRECT;
  const direct = wantsTiles ? null : directProducts.loaded;
  if (direct) return direct.directStages(context);
  const tile = m * n >= BIG ? 64 : 32;
  const depth = 1024 / tile;
  const off = (size: number, step: number) => size % step !== 0;
  const four = { wide: 2, block: 1 };
  return [
    {
      shader: matmulShader,
      type: y.dtype,
      constants: { BATCH: batch, M: m, N: n, K: k, TILE: tile, TILE_K: depth },
      loads: [
        {
          name: "a",
          input: 0,
          extents: a.shape,
          ragged: [false, off(m, tile), off(k, depth)],
          ...four,
        },
        {
          name: "b",
          input: 1,
          extents: b.shape,
          ragged: [false, off(k, depth), off(n, tile)],
          ...four,
        },
      ],
      store: { extents: y.shape, ragged: [false, off(m, tile), off(n, tile)], wide: 2 },
      workgroups: Math.ceil(n / tile) * Math.ceil(m / tile) * batch,
      threads: 2 * tile,
      memory: 2 * 4 * 1024,
    },
  ];
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
  return reshape(apply(matmulOp, [x, w], {}), [...outer, ...rows, ...columns]);
}

function checkOperands(a: Tensor, b: Tensor): void {
  checkDomain("matmul", a.dtype, "float");
  checkSameDType("matmul", [a, b]);
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
