import { beforeAll, describe, test } from "vitest";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import { expectWithin } from "../support/close.ts";
import { candidateWith } from "../support/kernel-families.ts";
import { tolerance } from "../support/op-case.ts";
import { openDevice } from "../support/raw-kernel.ts";
import { runStage } from "../support/raw-stage.ts";
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

const finish = (value: string) => ({ functions: { finish: value } });

const kernels = {
  softmax: { own: finish("g_exp(x - maximum) / sum"), EACH: 1, reference: probabilities },
  logSoftmax: { own: finish("(x - maximum) - g_log(sum)"), EACH: 1, reference: logProbabilities },
  logSumExp: { own: finish("x"), EACH: 0, reference: logSum },
  "logSumExp beside softmax": {
    own: finish("g_exp(x - maximum) / sum"),
    EACH: 1,
    reference: logSum,
  },
};

async function check(
  name: keyof typeof kernels,
  kind: "workgroup" | "direct",
  rows: number,
  length: number,
): Promise<void> {
  const { own, EACH, reference } = kernels[name];
  const x = logits(rows, length);
  const expected = Array.from({ length: rows }, (_, r) =>
    reference(x.subarray(r * length, (r + 1) * length)),
  ).flat();
  const choice = candidateWith(softmaxRows, kind, { WORKGROUP: 64 });
  const stage = stageOf(choice, { dtype: "f32", ROWS: rows, LENGTH: length, EACH }, own);
  const result = reference === logSum ? 1 : 0;
  const actual = await runStage(device, stage, [x], { limit: 3, result });
  expectWithin(actual, expected, (y) => tolerance(y));
}

for (const name of Object.keys(kernels) as (keyof typeof kernels)[]) {
  describe(name, () => {
    for (const length of [1, 2, 10, 15, 16, 17, 63, 64, 65, 300, 1100]) {
      test(`of ${length}, one workgroup a row`, () => check(name, "workgroup", 7, length));
      test(`of ${length}, one invocation a row`, () => check(name, "direct", 130, length));
    }
  });
}
