import { beforeAll, describe, expect, test } from "vitest";
import reduce from "../../shaders/reduce.wgsl?raw";
import reduceDirect from "../../shaders/reduce-direct.wgsl?raw";
import { expectWithin } from "../support/close.ts";
import {
  bindings,
  foldGrid,
  type Numbers,
  openDevice,
  prelude,
  runKernel,
} from "../support/raw-kernel.ts";
import { uniform } from "../support/reference.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

interface Combine {
  type: "f32" | "i32" | "u32";
  identity: string;
  combine: string;
  finish: string;
}

const sum: Combine = { type: "f32", identity: "0", combine: "a + b", finish: "v" };
const mean: Combine = { ...sum, finish: "v / f32(LENGTH)" };
const largest: Combine = {
  type: "i32",
  identity: "-2147483647 - 1",
  combine: "max(a, b)",
  finish: "v",
};
const product: Combine = { type: "u32", identity: "1", combine: "a * b", finish: "v" };

function head(op: Combine, constants: Record<string, number>, isLast = true): string {
  return `${prelude(constants, op.type)}${bindings(op.type, ["x", op.type])}
fn identity() -> Acc { return Acc(${op.identity}); }
fn combine(a: Acc, b: Acc) -> Acc { return ${op.combine}; }
fn finish(v: Acc) -> Acc { return ${isLast ? op.finish : "v"}; }
fn load_x(row: u32, i: u32) -> Acc {
  return select(identity(), x[row * LENGTH + i], i < LENGTH);
}
fn store_y(row: u32, v: Acc) { y[row] = v; }
`;
}

function runTree(op: Combine, x: Numbers, rows: number, limit?: number): Promise<Numbers> {
  const Kind = x.constructor as new (size: number) => Numbers;
  const constants = { ROWS: rows, LENGTH: x.length / rows, WORKGROUP: 64 };
  const workgroups = foldGrid(rows, limit);
  const output = new Kind(rows);
  return runKernel(device, {
    prelude: head(op, constants),
    source: reduce,
    output,
    inputs: [x],
    workgroups,
  });
}

async function runDirect(op: Combine, x: Numbers, rows: number, chunk: number): Promise<Numbers> {
  const Kind = x.constructor as new (size: number) => Numbers;
  let partial = x;
  for (;;) {
    const length = partial.length / rows;
    const chunks = Math.ceil(length / chunk);
    const constants = { ROWS: rows, LENGTH: length, CHUNK: chunk, CHUNKS: chunks, WORKGROUP: 64 };
    partial = await runKernel(device, {
      prelude: head(op, constants, chunks === 1).replace("f32(LENGTH)", `f32(${x.length / rows})`),
      source: reduceDirect,
      output: new Kind(rows * chunks),
      inputs: [partial],
      workgroups: foldGrid(Math.ceil((rows * chunks) / 64)),
    });
    if (chunks === 1) return partial;
  }
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

test("reduce folds more rows than one dimension holds", async () => {
  const rows = 65_537;
  const x = uniform(rows * 2, 3);
  expectWithin(await runTree(sum, x, rows), rowSums(x, rows), () => 1e-6);
});
