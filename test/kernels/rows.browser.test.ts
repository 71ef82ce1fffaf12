import { beforeAll, describe, test } from "vitest";
import bits from "../../shaders/lib/bits.wgsl?raw";
import expLog from "../../shaders/lib/exp-log.wgsl?raw";
import logSumExp from "../../shaders/log-sum-exp.wgsl?raw";
import logSumExpDirect from "../../shaders/log-sum-exp-direct.wgsl?raw";
import softmax from "../../shaders/softmax.wgsl?raw";
import softmaxDirect from "../../shaders/softmax-direct.wgsl?raw";
import { expectWithin } from "../support/close.ts";
import { tolerance } from "../support/op-case.ts";
import { bindings, foldGrid, openDevice, prelude, runKernel } from "../support/raw-kernel.ts";
import { uniform } from "../support/reference.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

/** [rows, length]: of five rows one is huge, one half masked, one all masked, one ±89. */
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

type Row = (row: Float32Array) => number[];

const logSum: Row = (row) => {
  const max = Math.max(...row);
  const sum = row.reduce((total, v) => total + Math.exp(v - max), 0);
  return [max === -Infinity ? max : max + Math.log(sum)];
};
const probabilities: Row = (row) => {
  const max = Math.max(...row);
  const sum = row.reduce((total, v) => total + Math.exp(v - max), 0);
  return Array.from(row, (v) => Math.exp(v - max) / sum);
};
const logProbabilities: Row = (row) => {
  const max = Math.max(...row);
  const sum = row.reduce((total, v) => total + Math.exp(v - max), 0);
  return Array.from(row, (v) => v - max - Math.log(sum));
};

const storeEach = "fn store_y(row: u32, i: u32, v: f32) { y[row * LENGTH + i] = v; }";
const storeRow = "fn store_y(row: u32, v: f32) { y[row] = v; }";
const finish = (value: string) => `fn finish(x: f32, m: f32, s: f32) -> f32 { return ${value}; }`;

const kernels = {
  softmax: {
    functions: `${storeEach}\n${finish("g_exp(x - m) / s")}`,
    tree: softmax,
    direct: softmaxDirect,
    reference: probabilities,
  },
  logSoftmax: {
    functions: `${storeEach}\n${finish("(x - m) - g_log(s)")}`,
    tree: softmax,
    direct: softmaxDirect,
    reference: logProbabilities,
  },
  logSumExp: {
    functions: storeRow,
    tree: logSumExp,
    direct: logSumExpDirect,
    reference: logSum,
  },
};

async function check(
  name: keyof typeof kernels,
  form: "tree" | "direct",
  rows: number,
  length: number,
): Promise<void> {
  const { functions, reference, [form]: source } = kernels[name];
  const x = logits(rows, length);
  const expected = Array.from({ length: rows }, (_, r) =>
    reference(x.subarray(r * length, (r + 1) * length)),
  ).flat();
  const block = Math.min(16, form === "tree" ? Math.ceil(length / 64) : length);
  const constants = { ROWS: rows, LENGTH: length, BLOCK: block, WORKGROUP: 64 };
  const load = `fn load_x(row: u32, i: u32) -> f32 {
  return select(-infinity_value(), x[row * LENGTH + i], i < LENGTH);
}`;
  const head = prelude(constants) + bindings("f32", ["x", "f32"]);
  const actual = await runKernel(device, {
    prelude: [head, load, functions, bits, expLog].join("\n"),
    source,
    output: new Float32Array(expected.length),
    inputs: [x],
    workgroups: foldGrid(Math.ceil(rows / (form === "direct" ? 64 : 1)), 3),
  });
  expectWithin(actual, expected, (y) => tolerance(y));
}

for (const name of Object.keys(kernels) as (keyof typeof kernels)[]) {
  describe(name, () => {
    for (const length of [1, 2, 10, 15, 16, 17, 63, 64, 65, 300, 1100]) {
      test(`of ${length}, one workgroup a row`, () => check(name, "tree", 7, length));
      test(`of ${length}, one invocation a row`, () => check(name, "direct", 130, length));
    }
  });
}
