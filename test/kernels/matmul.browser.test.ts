import { beforeAll, describe, expect, test } from "vitest";
import type { Constants, Kernel, KernelChoice } from "../../src/forms/kernel.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { directProducts, moreTiles, products } from "../../src/kernels/matmul.ts";
import type { ProductProblem } from "../../src/kernels/problems.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import {
  countWrong,
  matricesOf,
  matrixLanes,
  matrixProbe,
  matrixProducts,
} from "../../src/kernels/subgroup-matrices.ts";
import { subgroupProducts } from "../../src/kernels/subgroup-products.ts";
import { expectWithin } from "../support/close.ts";
import { candidateWith, plainFamily } from "../support/kernel-families.ts";
import { openDevice } from "../support/raw-kernel.ts";
import { runStage } from "../support/raw-stage.ts";
import { uniform } from "../support/reference.ts";

type Sizes = Omit<ProductProblem, "dtype">;

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
  await Promise.all([directProducts.get(), moreTiles.get()]);
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

const direct: [rows: number, width: number, lanes: number][] = [
  [8, 8, 1],
  [12, 8, 4],
  [16, 4, 4],
  [12, 4, 4],
];

describe("matmul-direct", () => {
  for (const [ROWS, WIDTH, LANES] of direct) {
    for (const sizes of cases) {
      test(`${ROWS} rows, ${WIDTH} columns, ${LANES} lanes, ${JSON.stringify(sizes)}`, () =>
        check(sizes, choose("direct", { ROWS, WIDTH, LANES, WORKGROUP: 32 })));
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

describe("matmul-tiles", () => {
  const plain = choicesOf(products)[0];
  const tiled = () => choicesOf(products).filter(({ candidate }) => candidate.TILE_M);

  test("every candidate gives the bits of matmul just below, at and above its tile", async () => {
    expect(tiled().length).toBeGreaterThan(12);
    for (const choice of tiled()) {
      const { TILE_M: M, TILE_N: N, TILE_K: K } = choice.candidate;
      for (const sizes of [
        { BATCH: 2, M: M - 1, N: N + 1, K: K - 1 },
        { BATCH: 1, M: M + 1, N: N - 1, K: K + 1 },
        { BATCH: 1, M, N, K: 3 * K },
      ]) {
        const wanted = await check(sizes, plain);
        expect(await check(sizes, choice), JSON.stringify([choice.candidate, sizes])).toEqual(
          wanted,
        );
      }
    }
  });

  test("sums of a long K are added in equal parts", async () => {
    const sizes = { BATCH: 1, M: 5, N: 3, K: 8200 };
    const wanted = await check(sizes, plain);
    for (const STAGES of [1, 2]) {
      const choice = choose("workgroup", { STAGES });
      expect(await check(sizes, choice)).toEqual(wanted);
    }
  });

  test("more tiles lie one above the other than run together", async () => {
    const sizes = { BATCH: 2, M: 16 * 19 - 3, N: 3 * 64 - 5, K: 9 };
    const choice = choose("workgroup", { TILE_M: 16 });
    expect(await check(sizes, choice)).toEqual(await check(sizes, plain));
  });
});

/** Subgroups of SIZE lanes in workgroup memory, to which invocations are dealt out of order. */
const EMULATED = `
var<workgroup> handed: array<vec4<Acc>, WORKGROUP>;
var<private> own_place: u32;

fn place_of(local: u32) -> vec2u {
  own_place = (local * 13u + 5u) % WORKGROUP;
  return vec2u(own_place, own_place % SIZE);
}

fn of_lane(own: vec4<Acc>, lane: u32) -> vec4<Acc> {
  workgroupBarrier();
  handed[own_place] = own;
  workgroupBarrier();
  return handed[own_place / SIZE * SIZE + lane];
}
`;

describe("matmul-lanes", () => {
  const plain = choicesOf(products)[0];

  /** Checks every candidate just below, at and above its tile. */
  async function checkAll(kernel: Kernel<ProductProblem>) {
    for (const candidate of kernel.candidates) {
      const { WORKGROUP, TILE_M: M, TILE_N: N, COLUMNS, LANES } = candidate;
      const K = (16 * LANES * WORKGROUP * COLUMNS) / (M * N);
      for (const sizes of [
        { BATCH: 2, M: M - 1, N: N + 1, K: K - 1 },
        { BATCH: 1, M: M + 1, N: N - 1, K: K + 1 },
        { BATCH: 1, M, N, K: 3 * K },
      ]) {
        const wanted = await check(sizes, plain);
        const actual = await check(sizes, { kernel, candidate });
        expect(actual, JSON.stringify([candidate, sizes])).toEqual(wanted);
      }
    }
  }

  test("every candidate gives the bits of matmul, by the subgroups that there are", async () => {
    const { subgroupMinSize: least = 0, subgroupMaxSize = 0 } = device.adapterInfo;
    expect(least).toBeGreaterThanOrEqual(4);
    for (const most of [subgroupMaxSize, 64]) {
      await checkAll(subgroupProducts({ least, most }));
    }
  });

  test.each([8, 32])("and by emulated ones of %d lanes", async (size) => {
    const real = subgroupProducts({ least: size, most: size });
    const source = `const SIZE = ${size}u;\n${EMULATED}`;
    const files = [{ name: "subgroups", source }, ...real.files.slice(-1)];
    await checkAll({ ...real, files, subgroups: undefined });
  });

  test("sums of a long K are added in equal parts", async () => {
    const kernel = subgroupProducts({ least: 4, most: 32 });
    const [candidate] = kernel.candidates;
    const sizes = { BATCH: 1, M: 5, N: 3, K: 8200 };
    expect(await check(sizes, { kernel, candidate })).toEqual(await check(sizes, plain));
  });

  test("more tiles lie one above the other than run together", async () => {
    const kernel = subgroupProducts({ least: 4, most: 32 });
    const [candidate] = kernel.candidates;
    const sizes = { BATCH: 2, M: 16 * 19 - 3, N: 2 * 128 - 5, K: 9 };
    expect(await check(sizes, { kernel, candidate })).toEqual(await check(sizes, plain));
  });
});

/** Matrices of subgroups as each invocation computes all of them: lib/matrices.wgsl without its feature. */
const PLAIN_MATRICES = `
alias Left = u32;
alias Right = u32;
alias Sum = array<f32, 64>;

fn left_at(place: u32) -> Left { return place; }

fn right_at(place: u32) -> Right { return place; }

fn accumulate(a: Left, b: Right, sum: Sum) -> Sum {
  var y = sum;
  for (var i = 0u; i < 64u; i++) {
    for (var k = 0u; k < 8u; k++) {
      y[i] = fma(tile_a[a + i / 8u * PITCH + k], tile_b[b + k * PITCH + i % 8u], y[i]);
    }
  }
  return y;
}

fn put_at(place: u32, sum: Sum) {
  var y = sum;
  for (var i = 0u; i < 64u; i++) {
    tile_a[place + i / 8u * PITCH + i % 8u] = y[i];
  }
}
`;

describe("matmul-matrices", () => {
  const plain = choicesOf(products)[0];

  test.each([32, 64])(
    "gives the bits of matmul just below, at and above its tile, by %d invocations",
    async (lanes) => {
      const real = matrixProducts(lanes);
      const files = real.files.map((file) =>
        file.name === "shaders/lib/matrices.wgsl" ? { ...file, source: PLAIN_MATRICES } : file,
      );
      const kernel = { ...real, files, subgroups: undefined };
      const [candidate] = kernel.candidates;
      for (const sizes of [
        { BATCH: 2, M: 31, N: 33, K: 31 },
        { BATCH: 1, M: 33, N: 31, K: 33 },
        { BATCH: 1, M: 32, N: 32, K: 64 },
        ...(lanes === 32 ? [{ BATCH: 1, M: 2, N: 3, K: 8200 }] : []),
      ]) {
        const wanted = await check(sizes, plain);
        expect(await check(sizes, { kernel, candidate }), JSON.stringify(sizes)).toEqual(wanted);
      }
    },
  );

  test("is taken only where a probe finds the same bits", async () => {
    const wrong = (from: string, to: string) => {
      expect(PLAIN_MATRICES).toContain(from);
      return countWrong(device, matrixProbe(32, PLAIN_MATRICES.replace(from, to)));
    };
    expect(await wrong("fma", "fma")).toBe(0);
    expect(await countWrong(device, matrixProbe(64, PLAIN_MATRICES))).toBe(0);
    // Of numbers that round, another order differs in some; of what lies otherwise, all do.
    const backwards = await wrong(
      "for (var k = 0u; k < 8u; k++) {",
      "for (var j = 0u; j < 8u; j++) { let k = 7u - j;",
    );
    expect(backwards).toBeGreaterThan(0);
    expect(backwards).toBeLessThan(64);
    expect(await wrong("b + k * PITCH + i % 8u", "b + i % 8u * PITCH + k")).toBeGreaterThan(100);
    expect(await wrong("place + i / 8u * PITCH + i % 8u", "place + i")).toBeGreaterThan(50);
  });

  test("is there where a device has the feature, matrices of f32, and subgroups of one size", async () => {
    const config = {
      ...{ componentType: "f32", resultComponentType: "f32" },
      ...{ M: 8, N: 8, K: 8 },
    };
    const of = (info: object, feature = "chromium-experimental-subgroup-matrix") => {
      const adapterInfo = {
        ...{ subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrixConfigs: [config] },
        ...info,
      };
      return matrixLanes({ features: new Set([feature]), adapterInfo } as never);
    };
    expect(of({})).toBe(32);
    expect(of({}, "subgroups")).toBe(0);
    expect(of({ subgroupMaxSize: 64 })).toBe(0);
    expect(of({ subgroupMinSize: 128, subgroupMaxSize: 128 })).toBe(0);
    expect(of({ subgroupMatrixConfigs: undefined })).toBe(0);
    for (const other of [{ componentType: "f16" }, { resultComponentType: "f16" }, { K: 16 }]) {
      expect(of({ subgroupMatrixConfigs: [{ ...config, ...other }] })).toBe(0);
    }
    expect(await matricesOf(device)).toBe(0); // this adapter has none
    // What a device cannot compile is not taken, and no error is left behind.
    const features = new Set(["chromium-experimental-subgroup-matrix"]);
    const adapterInfo = {
      ...{ subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrixConfigs: [config] },
    };
    const claims = new Proxy(device, {
      get: (own, name) => {
        if (name === "features") return features;
        if (name === "adapterInfo") return adapterInfo;
        const value = Reflect.get(own, name);
        return typeof value === "function" ? value.bind(own) : value;
      },
    });
    device.pushErrorScope("validation");
    expect(await matricesOf(claims)).toBe(0);
    expect(await device.popErrorScope()).toBeNull();
  });
});

describe("matmul", () => {
  const around = [
    { BATCH: 2, M: 31, N: 33, K: 31 },
    { BATCH: 1, M: 33, N: 31, K: 33 },
    { BATCH: 1, M: 32, N: 32, K: 64 },
    { BATCH: 3, M: 5, N: 3, K: 2 },
  ];
  for (const sizes of around) {
    test(JSON.stringify(sizes), () => check(sizes, choicesOf(products)[0]));
  }
});
