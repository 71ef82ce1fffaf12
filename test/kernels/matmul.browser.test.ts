import { beforeAll, describe, test } from "vitest";
import tiled from "../../shaders/matmul.wgsl?raw";
import directSource from "../../shaders/matmul-direct.wgsl?raw";
import { expectWithin } from "../support/close.ts";
import {
  bindings,
  foldGrid,
  type Grid,
  openDevice,
  prelude,
  runKernel,
} from "../support/raw-kernel.ts";
import { uniform } from "../support/reference.ts";

interface Sizes {
  batch: number;
  m: number;
  n: number;
  k: number;
}

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

const rows = (name: string, at: string) =>
  [0, 1, 2, 3].map((i) => `${name}(${at.replace("+", `+ ${i}u`)})`).join(", ");
const four = (name: string, at: string) => `vec4(${rows(name, at)})`;

// Guards combine with &: && makes branches, which take seconds to compile on a software adapter.
const accessors = `
fn load_a(b: u32, m: u32, k: u32) -> Acc {
  return select(Acc(), a[(b * M + m) * K + k], (m < M) & (k < K));
}
fn load_b(b: u32, k: u32, n: u32) -> Acc {
  return select(Acc(), b_[(b * K + k) * N + n], (k < K) & (n < N));
}
fn store_y(b: u32, m: u32, n: u32, v: Acc) {
  if ((m < M) & (n < N)) { y[(b * M + m) * N + n] = v; }
}
fn load_a4(b: u32, m: u32, k: u32) -> vec4<Acc> { return ${four("load_a", "b, m, k +")}; }
fn load_b4(b: u32, k: u32, n: u32) -> vec4<Acc> { return ${four("load_b", "b, k, n +")}; }
fn load_a4x4(b: u32, m: u32, k: u32) -> mat4x4<Acc> {
  return mat4x4(${rows("load_a4", "b, m +, k")});
}
fn load_b4x4(b: u32, k: u32, n: u32) -> mat4x4<Acc> {
  return mat4x4(${rows("load_b4", "b, k +, n")});
}
fn store_y4(b: u32, m: u32, n: u32, v: vec4<Acc>) {
  for (var i = 0u; i < 4u; i++) { store_y(b, m, n + i, v[i]); }
}
`;

function reference({ batch, m, n, k }: Sizes, a: Float32Array, b: Float32Array) {
  const y = new Float64Array(batch * m * n);
  for (let i = 0; i < y.length; i++) {
    const row = Math.floor(i / n);
    const s = Math.floor(row / m);
    for (let j = 0; j < k; j++) y[i] += a[row * k + j] * b[(s * k + j) * n + (i % n)];
  }
  return y;
}

interface Setting {
  constants: Record<string, number>;
  workgroups: Grid;
  functions?: string;
  enable?: string;
}

async function check(
  source: string,
  sizes: Sizes,
  { constants, workgroups, functions = "", enable = "" }: Setting,
): Promise<void> {
  const { batch, m, n, k } = sizes;
  const a = uniform(batch * m * k, 1);
  const b = uniform(batch * k * n, 2);
  const head = prelude({ BATCH: batch, M: m, N: n, K: k, ...constants });
  const actual = await runKernel(device, {
    prelude: [
      enable,
      head,
      bindings("f32", ["a", "f32"], ["b_", "f32"]),
      accessors,
      functions,
    ].join("\n"),
    source,
    output: new Float32Array(batch * m * n),
    inputs: [a, b],
    workgroups,
  });
  // 3e-7 · ‖row of a‖ · ‖column of b‖, whose squares are K / 3 on average.
  expectWithin(actual, reference(sizes, a, b), () => 1e-7 * k + 2e-7);
}

const cases: Sizes[] = [
  { batch: 1, m: 1, n: 1, k: 1 },
  { batch: 1, m: 100, n: 50, k: 784 },
  { batch: 1, m: 100, n: 10, k: 50 },
  { batch: 1, m: 100, n: 50, k: 10 },
  { batch: 3, m: 7, n: 3, k: 31 },
  { batch: 2, m: 8, n: 4, k: 32 },
  { batch: 2, m: 9, n: 5, k: 33 },
  { batch: 1, m: 31, n: 33, k: 2 },
  { batch: 1, m: 65, n: 63, k: 17 },
];

const own =
  "fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4f { return load_a4x4(b, m, k); }";
const shared = `
fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4f {
  let own = load_a4(b, m + lane, k);
  return mat4x4(${[0, 1, 2, 3].map((i) => `quadBroadcast(own, ${i}u)`).join(", ")});
}`;

const direct: [rows: number, lanes: number][] = [
  [8, 1],
  [12, 4],
  [16, 4],
  [20, 4],
];

describe("matmul-direct", () => {
  for (const [ROWS, LANES] of direct) {
    for (const sizes of cases) {
      test(`${ROWS} rows, ${LANES} lanes, ${JSON.stringify(sizes)}`, () => {
        const { batch, m, n } = sizes;
        const owners = batch * Math.ceil(m / ROWS) * Math.ceil(n / (8 * LANES)) * LANES;
        return check(directSource, sizes, {
          constants: { ROWS, LANES, WORKGROUP: 32 },
          workgroups: foldGrid(Math.ceil(owners / 32), 3),
          functions: LANES === 1 ? own : shared,
          enable: LANES === 1 ? "" : "enable subgroups;",
        });
      });
    }
  }
});

const tiles = [
  { TILE: 32, TILE_K: 32, WORKGROUP: 64 },
  { TILE: 64, TILE_K: 16, WORKGROUP: 128 },
];

describe("matmul", () => {
  for (const tile of tiles) {
    const { TILE, TILE_K } = tile;
    const around = [
      { batch: 2, m: TILE - 1, n: TILE + 1, k: TILE_K - 1 },
      { batch: 1, m: TILE + 1, n: TILE - 1, k: TILE_K + 1 },
      { batch: 1, m: TILE, n: TILE, k: 2 * TILE_K },
      { batch: 3, m: 5, n: 3, k: 2 },
    ];
    for (const sizes of around) {
      test(`${TILE} × ${TILE} × ${TILE_K} on ${JSON.stringify(sizes)}`, () => {
        const { batch, m, n } = sizes;
        const tiles = Math.ceil(n / TILE) * Math.ceil(m / TILE) * batch;
        const workgroups = foldGrid(tiles, 3);
        return check(tiled, sizes, { constants: tile, workgroups });
      });
    }
  }
});
