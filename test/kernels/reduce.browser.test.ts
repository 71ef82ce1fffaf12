import { beforeAll, describe, expect, test } from "vitest";
import { reduce, reduceParts } from "../../src/kernels/reduce.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import { expectWithin } from "../support/close.ts";
import { candidateWith, plainFamily } from "../support/kernel-families.ts";
import { type Numbers, openDevice } from "../support/raw-kernel.ts";
import { runStage } from "../support/raw-stage.ts";
import { uniform } from "../support/reference.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

interface Combine {
  type: "f32" | "i32" | "u32";
  identity: string;
  combine: string;
  /** What is stored of a combined value `v`. */
  epilogue?: string;
}

const sum: Combine = { type: "f32", identity: "Acc(0)", combine: "a + b" };
const largest: Combine = { type: "i32", identity: "Acc(-2147483647 - 1)", combine: "max(a, b)" };
const product: Combine = { type: "u32", identity: "Acc(1)", combine: "a * b" };

function runTree(op: Combine, x: Numbers, rows: number, limit?: number): Promise<Numbers> {
  const problem = { dtype: op.type, ROWS: rows, LENGTH: x.length / rows };
  const { identity, combine, epilogue } = op;
  const choice = candidateWith(reduce, "workgroup", { WORKGROUP: 64 });
  const stage = stageOf(choice, problem, { functions: { identity, combine } });
  return runStage(device, stage, [x], { epilogue, limit });
}

/** Combines chunks, and what these give, until one is left of a row. */
async function runDirect(op: Combine, x: Numbers, rows: number, CHUNK: number): Promise<Numbers> {
  const { type: dtype, identity, combine, epilogue } = op;
  const own = { functions: { identity, combine } };
  const parts = candidateWith(reduceParts, "direct", { WORKGROUP: 64 });
  let y = x;
  let LENGTH = x.length / rows;
  for (; LENGTH > CHUNK; LENGTH = Math.ceil(LENGTH / CHUNK)) {
    y = await runStage(device, stageOf(parts, { dtype, ROWS: rows, LENGTH, CHUNK }, own), [y]);
  }
  const last = candidateWith(reduce, "direct", { WORKGROUP: 64 });
  return runStage(device, stageOf(last, { dtype, ROWS: rows, LENGTH }, own), [y], { epilogue });
}

function rowSums(x: Numbers, rows: number): Float64Array {
  const y = new Float64Array(rows);
  for (let i = 0; i < x.length; i++) y[Math.floor(i / (x.length / rows))] += x[i];
  return y;
}

const forms = {
  tree: (op: Combine, x: Numbers, rows: number) => runTree(op, x, rows, 3),
  direct: (op: Combine, x: Numbers, rows: number) => runDirect(op, x, rows, 37),
  "direct in chunks of 256": (op: Combine, x: Numbers, rows: number) => runDirect(op, x, rows, 256),
};

for (const [name, run] of Object.entries(forms)) {
  describe(`reduce, ${name}`, () => {
    for (const length of [1, 3, 36, 37, 38, 63, 64, 65, 255, 256, 257, 1025]) {
      test(`sum and mean of ${length}`, async () => {
        const x = uniform(5 * length, length, 0, 1);
        const tolerance = 1e-6 * Math.sqrt(length);
        const expected = rowSums(x, 5);
        expectWithin(await run(sum, x, 5), expected, (y) => tolerance + 1e-7 * y);
        const means = expected.map((y) => y / length);
        const mean = { ...sum, epilogue: `v / f32(${length})` };
        expectWithin(await run(mean, x, 5), means, (y) => 1e-6 * y);
      });
    }
    test("integers", async () => {
      const signed = Int32Array.from({ length: 3 * 70 }, (_, i) => -((i * 7919) % 1000) - 5);
      const y = await run(largest, signed, 3);
      const rows = [0, 1, 2].map((r) => Math.max(...signed.subarray(r * 70, r * 70 + 70)));
      expect([...y]).toEqual(rows);
      const unsigned = Uint32Array.from({ length: 3 * 40 }, (_, i) => 2 * i + 3);
      const products = [0, 1, 2].map((r) =>
        unsigned.subarray(r * 40, r * 40 + 40).reduce((p, v) => Math.imul(p, v) >>> 0, 1),
      );
      expect([...(await run(product, unsigned, 3))]).toEqual(products);
    });
    test("a million numbers", async () => {
      const x = uniform(1_000_000, 5, 0, 1);
      const y = await run(sum, x, 1);
      expectWithin(y, rowSums(x, 1), (total) => 1e-6 * Math.sqrt(x.length) + 2e-7 * total);
    });
  });
}

test("reduce-plain gives the bits of reduce-direct", async () => {
  const { identity, combine } = sum;
  const own = { functions: { identity, combine } };
  for (const LENGTH of [1, 3, 4, 5, 37, 128]) {
    const x = uniform(70 * LENGTH, LENGTH);
    const [plain, direct] = await Promise.all(
      [plainFamily(reduce), reduce].map((family) => {
        const choice = candidateWith(family, "direct", { WORKGROUP: 32 });
        const stage = stageOf(choice, { dtype: "f32", ROWS: 70, LENGTH }, own);
        return runStage(device, stage, [x]);
      }),
    );
    expect([...plain]).toEqual([...direct]);
    expectWithin(plain, rowSums(x, 70), () => 1e-6 * Math.sqrt(LENGTH));
  }
});

test("reduce folds more rows than one dimension holds", async () => {
  const rows = 65_537;
  const x = uniform(rows * 2, 3);
  expectWithin(await runTree(sum, x, rows), rowSums(x, rows), () => 1e-6);
});
