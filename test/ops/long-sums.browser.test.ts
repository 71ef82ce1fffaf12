import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  cumLogSumExp,
  cumSum,
  type Device,
  evaluate,
  init,
  l2Normalize,
  logSoftmax,
  logSumExp,
  matmul,
  mean,
  softmax,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { uniform } from "../support/reference.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  gpus = await kernelKinds();
});

/** Sums of many terms of about one size, in which rounding errors add up worst. */
const ops: Record<string, (x: Tensor) => Tensor> = {
  softmax: (x) => softmax(x),
  logSoftmax: (x) => logSoftmax(x),
  logSumExp: (x) => logSumExp(x),
  sum: (x) => sum(x),
  mean: (x) => mean(x),
  l2Normalize: (x) => l2Normalize(x),
};

/** All terms but one are the same: each sum of few bits errs in the same direction. */
function alike(size: number): Float32Array {
  const x = new Float32Array(size).fill(-1.2345678);
  x[size >> 1] = 0;
  return x;
}

async function results(x: Float32Array, device: Device, dtype: "f32" | "f64") {
  const input = tensor(x, { device, dtype });
  const all = Object.values(ops).map((op) => op(input));
  evaluate(...all);
  return Promise.all(all.map((y) => y.data()));
}

function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    largest = Math.max(largest, expected[i] === 0 ? error : error / Math.abs(expected[i]));
  }
  return largest;
}

/** Running sums, whose parts one invocation adds in order. */
const RUNNING = { workgroup: 1e-6, direct: 5e-6 };

test.each(KERNEL_KINDS)(
  "running sums are as docs/numerics.md says, %s kernels",
  async (kernels) => {
    for (const x of [alike(100_000), uniform(100_000, 7, -3, -1)]) {
      const [actual, expected] = await Promise.all(
        [gpus[kernels], cpu].map(async (device) => {
          const input = tensor(x, { device, dtype: device === cpu ? "f64" : "f32" });
          const all = [cumSum(input), cumLogSumExp(add(input, 3))];
          return Promise.all(all.map((y) => y.data()));
        }),
      );
      for (const [k, want] of expected.entries()) {
        expect(largestError(actual[k], want)).toBeLessThan(RUNNING[kernels]);
      }
    }
  },
);

for (const kernels of KERNEL_KINDS) {
  describe(`within 1e-6, ${kernels} kernels`, () => {
    for (const size of [100_000, 1_000_000]) {
      const inputs = { alike: alike(size), different: uniform(size, size, -3, -1) };
      for (const [name, x] of Object.entries(inputs)) {
        test(`${size} ${name}`, async () => {
          const expected = await results(x, cpu, "f64");
          const actual = await results(x, gpus[kernels], "f32");
          for (const [k, op] of Object.keys(ops).entries()) {
            expect(largestError(actual[k], expected[k]), op).toBeLessThan(1e-6);
          }
        });
      }
    }

    for (const size of [100_000, 200_000]) {
      test(`a product of ${size} terms, within 1e-6 √K |a| |b|`, async () => {
        const [y, want] = await Promise.all(
          [gpus[kernels], cpu].map(async (device) => {
            const dtype = device === cpu ? "f64" : "f32";
            const x = tensor(alike(size), { device, dtype });
            return (await matmul(x, x).data())[0]; // |a| |b|, as a = b
          }),
        );
        expect(Math.abs(y / want - 1)).toBeLessThan(1e-6 * Math.sqrt(size));
      });
    }
  });
}
