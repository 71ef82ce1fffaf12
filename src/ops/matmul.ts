import { ShapeError } from "../core/errors.ts";
import { broadcastShapes, formatShape, sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import { defineOp, type KernelContext, type OpDefinition, type Stage } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { broadcastTo } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { reshape, transpose } from "./reshape.ts";
import { matmulDirectShader, matmulShader } from "./shaders.ts";

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
  gpu: {
    kind: "kernel",
    prologueCost: 1,
    flops: ([a], y) => 2 * sizeOf(y.shape) * a.shape[2],
    stages,
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

function stages({ inputs: [a, b], y, profile }: KernelContext<unknown>): Stage[] {
  const [batch, m, n] = y.shape;
  const k = a.shape[2];
  const off = (size: number, step: number) => size % step !== 0;
  const sizes = { BATCH: batch, M: m, N: n, K: k };
  if (profile.workgroupMemory || k > LONGEST_DIRECT) {
    const tile = m * n >= BIG ? 64 : 32;
    const depth = m * n >= BIG ? 16 : 32;
    return [
      {
        shader: matmulShader,
        type: y.dtype,
        constants: { ...sizes, TILE_M: tile, TILE_N: tile, TILE_K: depth, ROWS: tile / 8 },
        loads: [
          load("a", 0, a.shape, [false, off(m, tile), off(k, depth)]),
          load("b", 1, b.shape, [false, off(k, depth), off(n, tile)]),
        ],
        store: store(y.shape, [false, off(m, tile), off(n, tile)]),
        workgroups: Math.ceil(n / tile) * Math.ceil(m / tile) * batch,
        threads: (tile / 4) * 8,
        memory: 2 * 4 * tile * depth,
      },
    ];
  }
  const { threads } = profile;
  const lanes = profile.quads && n > 16 && m * n * k >= SHARED ? 4 : 1;
  // Loading b weighs as much as six rows more; guards are worse.
  const high = m % 16 > 0 && Math.ceil(m / 20) * 26 < Math.ceil(m / 16) * 22 ? 20 : 16;
  const rows = lanes > 1 ? high : 8;
  const columns = Math.ceil(n / (8 * lanes)) * lanes;
  const owners = batch * Math.ceil(m / rows) * columns;
  return [
    {
      shader: matmulDirectShader,
      type: y.dtype,
      constants: { ...sizes, ROWS: rows, LANES: lanes },
      functions: `fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4<T> {
  ${lanes > 1 ? SHARED_ROWS : "return load_a4x4(b, m, k);"}
}`,
      subgroups: lanes > 1,
      loads: [
        load("a", 0, a.shape, [false, false, off(k, 4)]),
        load("b", 1, b.shape, [false, off(k, 4), false]),
      ],
      store: store(y.shape, [false, off(m, rows) || off(owners, threads), off(n, 8 * lanes)]),
      workgroups: Math.ceil(owners / threads),
      threads,
    },
  ];
}

/** Products from which on shared loads are worth the longer compilation. */
const SHARED = 2 ** 19;

/** Each of four neighbours loads one row, and gives it to the others. */
const SHARED_ROWS = `let own = load_a4(b, m + lane, k);
  return mat4x4(${[0, 1, 2, 3].map((i) => `quadBroadcast(own, ${i}u)`).join(", ")});`;

function load(name: string, input: number, extents: readonly number[], ragged: boolean[]) {
  return { name, input, extents, ragged, wide: 2, block: 1 };
}

function store(extents: readonly number[], ragged: boolean[]) {
  return { extents, ragged, wide: 2 };
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
  const swapped = b.rank >= 2 && b.shape[b.rank - 1] === k ? ". Transpose b?" : "";
  throw new ShapeError(
    `matmul: shapes ${shapes} do not multiply (${k} vs ${other}); ` +
      `expected [m, k] and [k, n]${swapped}`,
  );
}
