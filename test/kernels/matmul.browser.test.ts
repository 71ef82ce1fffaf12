import { beforeAll, describe, expect, test } from "vitest";
import type { Constants, Kernel, KernelChoice } from "../../src/forms/kernel.ts";
import { directProducts, products } from "../../src/kernels/matmul.ts";
import type { ProductProblem } from "../../src/kernels/problems.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import { expectWithin } from "../support/close.ts";
import { candidateWith, plainFamily } from "../support/kernel-families.ts";
import { openDevice } from "../support/raw-kernel.ts";
import { runStage } from "../support/raw-stage.ts";
import { uniform } from "../support/reference.ts";

type Sizes = Omit<ProductProblem, "dtype">;

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
  await directProducts.get();
});

function reference({ BATCH: batch, M: m, N: n, K: k }: Sizes, a: Float32Array, b: Float32Array) {
  const y = new Float64Array(batch * m * n);
  for (let i = 0; i < y.length; i++) {
    const row = Math.floor(i / n);
    const s = Math.floor(row / m);
    for (let j = 0; j < k; j++) y[i] += a[row * k + j] * b[(s * k + j) * n + (i % n)];
  }
  return y;
}

/** Checks a product; gives its bits. */
async function check(sizes: Sizes, choice: KernelChoice<ProductProblem>): Promise<number[]> {
  const { BATCH: batch, M: m, N: n, K: k } = sizes;
  const a = uniform(batch * m * k, 1);
  const b = uniform(batch * k * n, 2);
  const stage = stageOf(choice, { dtype: "f32", ...sizes });
  const actual = await runStage(device, stage, [a, b], { limit: 3 });
  // 3e-7 · ‖row of a‖ · ‖column of b‖, whose squares are K / 3 on average.
  expectWithin(actual, reference(sizes, a, b), () => 1e-7 * k + 2e-7);
  return Array.from(actual);
}

function choose(kind: Kernel["kind"], wanted: Constants): KernelChoice<ProductProblem> {
  return candidateWith(products, kind, wanted);
}

const cases: Sizes[] = [
  { BATCH: 1, M: 1, N: 1, K: 1 },
  { BATCH: 1, M: 100, N: 50, K: 784 },
  { BATCH: 1, M: 100, N: 10, K: 50 },
  { BATCH: 1, M: 100, N: 50, K: 10 },
  { BATCH: 3, M: 7, N: 3, K: 31 },
  { BATCH: 2, M: 8, N: 4, K: 32 },
  { BATCH: 2, M: 9, N: 5, K: 33 },
  { BATCH: 1, M: 31, N: 33, K: 2 },
  { BATCH: 1, M: 65, N: 63, K: 17 },
];

const direct: [rows: number, lanes: number][] = [
  [8, 1],
  [12, 4],
  [16, 4],
  [20, 4],
];

describe("matmul-direct", () => {
  for (const [ROWS, LANES] of direct) {
    for (const sizes of cases) {
      test(`${ROWS} rows, ${LANES} lanes, ${JSON.stringify(sizes)}`, () =>
        check(sizes, choose("direct", { ROWS, LANES, WORKGROUP: 32 })));
    }
  }
});

describe("matmul-small", () => {
  for (const sizes of cases) {
    test(`gives the bits of larger tiles, ${JSON.stringify(sizes)}`, async () => {
      const small = await check(sizes, choose("direct", { ROWS: 4, WORKGROUP: 32 }));
      expect(small).toEqual(await check(sizes, choose("direct", { ROWS: 8, WORKGROUP: 32 })));
    });
  }
});

describe("matmul-plain", () => {
  for (const ROWS of [1, 4]) {
    for (const sizes of cases) {
      test(`${ROWS} rows give the bits of tiles, ${JSON.stringify(sizes)}`, async () => {
        const plain = candidateWith(plainFamily(products), "direct", { ROWS, WORKGROUP: 16 });
        const wanted = await check(sizes, choose("direct", { ROWS: 8, WORKGROUP: 32 }));
        expect(await check(sizes, plain)).toEqual(wanted);
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
      { BATCH: 2, M: TILE - 1, N: TILE + 1, K: TILE_K - 1 },
      { BATCH: 1, M: TILE + 1, N: TILE - 1, K: TILE_K + 1 },
      { BATCH: 1, M: TILE, N: TILE, K: 2 * TILE_K },
      { BATCH: 3, M: 5, N: 3, K: 2 },
    ];
    for (const sizes of around) {
      test(`${TILE} × ${TILE} × ${TILE_K} on ${JSON.stringify(sizes)}`, () =>
        check(sizes, choose("workgroup", tile)));
    }
  }
});
