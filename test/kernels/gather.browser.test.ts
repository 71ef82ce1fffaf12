import { beforeAll, describe, expect, test } from "vitest";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { pointwiseGroups } from "../../src/kernels/elementwise.ts";
import { scatteredSums } from "../../src/kernels/scatter-add.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import { expectWithin } from "../support/close.ts";
import { candidateWith } from "../support/kernel-families.ts";
import {
  bindings,
  compileKernel,
  foldGrid,
  type Numbers,
  openDevice,
  prelude,
  runKernel,
} from "../support/raw-kernel.ts";
import { runStage } from "../support/raw-stage.ts";
import { uniform } from "../support/reference.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

const kinds = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };
const argForms = [
  { name: "arg-reduce", choice: candidateWith(argReduce, "workgroup", { WORKGROUP: 256 }) },
  { name: "arg-reduce-direct", choice: candidateWith(argReduce, "direct", { WORKGROUP: 64 }) },
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

for (const { name, choice } of argForms) {
  describe(name, () => {
    for (const [type, Kind] of Object.entries(kinds)) {
      for (const length of [1, 2, 63, 64, 65, 129, 700]) {
        test(`largest and smallest of ${length} ${type}`, async () => {
          const rows = 9;
          // Few distinct values, so that most rows have ties.
          const x = Kind.from(uniform(rows * length, length, 0, 12)).map(Math.floor) as Numbers;
          for (const sign of [">", "<"] as const) {
            const problem = { dtype: type as keyof typeof kinds, ROWS: rows, LENGTH: length };
            const own = { functions: { better: `a ${sign} b` } };
            const y = await runStage(device, stageOf(choice, problem, own), [x], { limit: 4 });
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
      const choice = candidateWith(scatteredSums, "direct", { WORKGROUP: 64 });
      const stage = stageOf(choice, { dtype: "f32", ROWS: rows, COLUMNS: columns, COUNT: count });
      const y = await runStage(device, stage, [index, g], { limit: 2 });
      const expected = new Float64Array(rows * columns);
      index.forEach((r, j) => {
        if (r < 0 || r >= rows) return;
        for (let c = 0; c < columns; c++) expected[r * columns + c] += g[j * columns + c];
      });
      expectWithin(y, expected, () => 1e-5);
    });
  }
});

/** The pointwiseGroups kernel, whose function the host writes for each group of ops. */
async function runElementwise(
  size: number,
  WORKGROUP: number,
  write: string,
  output: Numbers,
  inputs: Numbers[],
  limit?: number,
): Promise<Numbers> {
  const choice = { ...candidateWith(pointwiseGroups, "direct", {}), candidate: { WORKGROUP } };
  const { constants, workgroups, kernel } = stageOf(choice, { dtype: "f32", SIZE: size });
  const type = output instanceof Uint32Array ? "u32" : "f32";
  return runKernel(device, {
    prelude: `${prelude(constants)}${bindings(type, ...inputs.map(() => ["x", "f32"] as const))}
fn write_y(i: u32) { ${write} }
`,
    source: kernel.files[0].source,
    output,
    inputs,
    workgroups: foldGrid(workgroups, limit),
  });
}

describe("elementwise", () => {
  for (const size of [1, 63, 64, 65, 1001]) {
    test(`one by one, ${size}`, async () => {
      const x = uniform(size, 1);
      const output = new Float32Array(size);
      const y = await runElementwise(size, 64, "y[i] = 2.0 * x[i];", output, [x], 3);
      expectWithin(
        y,
        x.map((v) => 2 * v),
        () => 0,
      );
    });
  }

  test("one by one over more than 65,535 workgroups", async () => {
    const size = 65_536 * 16 + 5;
    const y = await runElementwise(size, 16, "y[i] = i * 3u;", new Uint32Array(size), []);
    expect(y.every((v, i) => v === 3 * i)).toBe(true);
  });
});

test("compileKernel refuses what does not compile", async () => {
  const [{ files }] = pointwiseGroups.kernels;
  const wrong = compileKernel(device, prelude({ SIZE: 1, WORKGROUP: 64 }), files[0].source);
  await expect(wrong).rejects.toThrow(/unresolved call target 'write_y'/);
});
