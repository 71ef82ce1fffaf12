import { beforeAll, describe, test } from "vitest";
import bits from "../shaders/lib/bits.wgsl?raw";
import expLog from "../shaders/lib/exp-log.wgsl?raw";
import softmaxDirect from "../shaders/softmax-direct.wgsl?raw";
import { bindings, foldGrid, openDevice, prelude, runKernel } from "./support/raw-kernel.ts";
import { elementwise, expectClose, uniform } from "./support/reference.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

const rowAccessors = `
fn load_x(row: u32, i: u32) -> f32 { return x[row * LENGTH + i]; }
fn store_y(row: u32, i: u32, v: f32) { y[row * LENGTH + i] = v; }
`;

/** [rows, length] with masked entries, a row of only masks, and rows of huge numbers. */
function logits(rows: number, length: number): Float32Array {
  const x = uniform(rows * length, 7, -5, 5);
  for (let i = 0; i < x.length; i++) {
    const row = Math.floor(i / length);
    if (row % 5 === 1) x[i] *= 2000;
    if (row % 5 === 2 && i % 3 === 0) x[i] = -Infinity;
    if (row % 5 === 3) x[i] = -Infinity;
    if (row % 5 === 4) x[i] += 89 * (i % 2 === 0 ? 1 : -1);
  }
  return x;
}

function softmaxReference(x: Float32Array, length: number, isLog: boolean): Float64Array {
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += length) {
    const row = x.subarray(start, start + length);
    const max = Math.max(...row);
    const sum = row.reduce((total, v) => total + Math.exp(v - max), 0);
    row.forEach((v, i) => {
      y[start + i] = isLog ? v - max - Math.log(sum) : Math.exp(v - max) / sum;
    });
  }
  return y;
}

const finishers = { softmax: "g_exp(x - m) / s", logSoftmax: "(x - m) - g_log(s)" };

async function checkSoftmax(
  source: string,
  rows: number,
  length: number,
  name: keyof typeof finishers,
  owners: number,
) {
  const x = logits(rows, length);
  const finish = `fn finish(x: f32, m: f32, s: f32) -> f32 { return ${finishers[name]}; }\n`;
  const actual = await runKernel(device, {
    prelude: [
      prelude({ ROWS: rows, LENGTH: length, WORKGROUP: 64 }),
      bindings("f32", ["x", "f32"]) + rowAccessors + finish,
      bits + expLog,
    ].join("\n"),
    source,
    output: new Float32Array(x.length),
    inputs: [x],
    workgroups: foldGrid(Math.ceil(rows / owners), 3),
  });
  expectClose(actual, softmaxReference(x, length, name === "logSoftmax"), elementwise);
}

const softmaxSizes = [1, 2, 10, 63, 64, 65, 300];
describe("softmax", () => {
  for (const name of ["softmax", "logSoftmax"] as const) {
    for (const length of softmaxSizes) {
      test(`direct ${name} of ${length}`, () => checkSoftmax(softmaxDirect, 70, length, name, 64));
    }
  }
});
