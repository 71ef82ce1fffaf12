import { beforeAll, describe, expect, test } from "vitest";
import argReduce from "../../shaders/arg-reduce.wgsl?raw";
import argReduceDirect from "../../shaders/arg-reduce-direct.wgsl?raw";
import elementwise from "../../shaders/elementwise.wgsl?raw";
import scatterAdd from "../../shaders/scatter-add.wgsl?raw";
import { expectWithin } from "../support/close.ts";
import {
  bindings,
  compileKernel,
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

const kinds = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };
const argForms = [
  { name: "arg-reduce", source: argReduce, owners: 1 },
  { name: "arg-reduce-direct", source: argReduceDirect, owners: 64 },
];

function argReference(x: Numbers, length: number, better: (a: number, b: number) => boolean) {
  return Array.from({ length: x.length / length }, (_, row) => {
    let best = 0;
    for (let i = 1; i < length; i++) {
      if (better(x[row * length + i], x[row * length + best])) best = i;
    }
    return best;
  });
}

for (const { name, source, owners } of argForms) {
  describe(name, () => {
    for (const [type, Kind] of Object.entries(kinds)) {
      for (const length of [1, 2, 63, 64, 65, 129, 700]) {
        test(`largest and smallest of ${length} ${type}`, async () => {
          const rows = 9;
          // Few distinct values, so that most rows have ties.
          const x = Kind.from(uniform(rows * length, length, 0, 12)).map(Math.floor) as Numbers;
          for (const sign of [">", "<"] as const) {
            const constants = { ROWS: rows, LENGTH: length, WORKGROUP: 64 };
            const y = await runKernel(device, {
              prelude: `${prelude(constants, type)}${bindings("i32", ["x", type])}
fn better(a: Acc, b: Acc) -> bool { return a ${sign} b; }
fn load_x(row: u32, i: u32) -> Acc { return x[row * LENGTH + i]; }
fn store_y(row: u32, v: i32) { y[row] = v; }
`,
              source,
              output: new Int32Array(rows),
              inputs: [x],
              workgroups: foldGrid(Math.ceil(rows / owners), 4),
            });
            const better = (a: number, b: number) => (sign === ">" ? a > b : a < b);
            expect([...y]).toEqual(argReference(x, length, better));
          }
        });
      }
    }
  });
}

describe("scatter-add", () => {
  for (const [rows, columns, count] of [
    [1, 1, 1],
    [7, 3, 50],
    [65, 10, 64],
  ]) {
    test(`${count} rows into [${rows}, ${columns}]`, async () => {
      const g = uniform(count * columns, 3);
      const index = Int32Array.from(uniform(count, 4, -1, rows + 1)).map(Math.floor);
      const y = await runKernel(device, {
        prelude: `${prelude({ ROWS: rows, COLUMNS: columns, COUNT: count, WORKGROUP: 64 })}
${bindings("f32", ["indices", "i32"], ["g", "f32"])}
fn load_index(j: u32) -> i32 { return indices[j]; }
fn load_g(j: u32, c: u32) -> Acc { return g[j * COLUMNS + c]; }
fn store_y(r: u32, c: u32, v: Acc) { y[r * COLUMNS + c] = v; }
`,
        source: scatterAdd,
        output: new Float32Array(rows * columns),
        inputs: [index, g],
        workgroups: foldGrid(Math.ceil((rows * columns) / 64), 2),
      });
      const expected = new Float64Array(rows * columns);
      index.forEach((r, j) => {
        if (r < 0 || r >= rows) return;
        for (let c = 0; c < columns; c++) expected[r * columns + c] += g[j * columns + c];
      });
      expectWithin(y, expected, () => 1e-5);
    });
  }
});

describe("elementwise", () => {
  for (const size of [1, 63, 64, 65, 1001]) {
    test(`one by one, ${size}`, async () => {
      const x = uniform(size, 1);
      const y = await runKernel(device, {
        prelude: `${prelude({ SIZE: size, WORKGROUP: 64 })}${bindings("f32", ["x", "f32"])}
fn write_y(i: u32) { y[i] = 2.0 * x[i]; }
`,
        source: elementwise,
        output: new Float32Array(size),
        inputs: [x],
        workgroups: foldGrid(Math.ceil(size / 64), 3),
      });
      expectWithin(
        y,
        x.map((v) => 2 * v),
        () => 0,
      );
    });
  }

  test("one by one over more than 65,535 workgroups", async () => {
    const size = 65_536 * 16 + 5;
    const y = await runKernel(device, {
      prelude: `${prelude({ SIZE: size, WORKGROUP: 16 })}${bindings("u32")}
fn write_y(i: u32) { y[i] = i * 3u; }
`,
      source: elementwise,
      output: new Uint32Array(size),
      inputs: [],
      workgroups: foldGrid(Math.ceil(size / 16)),
    });
    expect(y.every((v, i) => v === 3 * i)).toBe(true);
  });
});

test("compileKernel refuses what does not compile", async () => {
  const wrong = compileKernel(device, prelude({ SIZE: 1, WORKGROUP: 64 }), elementwise);
  await expect(wrong).rejects.toThrow(/unresolved call target 'write_y'/);
});
