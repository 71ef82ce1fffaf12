/** Rows that a kernel makes itself, of a product: values and gradients, to the bits of kernels apart. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import {
  add,
  compile,
  type Device,
  evaluate,
  explain,
  grad,
  init,
  logSoftmax,
  logSumExp,
  matmul,
  mul,
  ones,
  setDefaultDevice,
  softmax,
  sum,
  type Tensor,
  tensor,
  vmap,
} from "../../src/index.ts";
import {
  arcFaceLogits,
  cosFaceLogits,
  crossEntropy,
  focal,
  klDivergence,
  largeMarginLogits,
  negativeLogLikelihood,
} from "../../src/losses/index.ts";
import { expectWithin } from "../support/close.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";

let kinds: Record<(typeof KERNEL_KINDS)[number], GpuDevice>;
let cpu: Device;
beforeAll(async () => {
  kinds = await kernelKinds();
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
});
afterAll(() => setDefaultDevice(kinds.direct));

/** Numbers between −1 and 1 that look like no pattern. */
const numbers = (size: number, phase: number) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + phase) * 0.99);

/** Features, weights and biases on a device. */
function given(device: Device, [rows, classes, depth]: readonly number[]) {
  const of = (shape: number[], phase: number) =>
    tensor(numbers(shape[0] * (shape[1] ?? 1), phase), { shape, device });
  return { x: of([rows, depth], 1), w: of([depth, classes], 2), b: of([classes], 3) };
}

/** log softmax(x·w + b) by its formula, in float64. */
function direct([rows, classes, depth]: readonly number[]): number[] {
  const [x, w, b] = [numbers(rows * depth, 1), numbers(depth * classes, 2), numbers(classes, 3)];
  const found: number[] = [];
  for (let r = 0; r < rows; r++) {
    const z = Array.from({ length: classes }, (_, c) => {
      let sum = b[c];
      for (let k = 0; k < depth; k++) sum += x[r * depth + k] * w[k * classes + c];
      return sum;
    });
    const high = Math.max(...z);
    const log = high + Math.log(z.reduce((sum, one) => sum + Math.exp(one - high), 0));
    found.push(...z.map((one) => one - log));
  }
  return found;
}

const SIZES = [
  [1, 1, 1],
  [7, 1, 50],
  [100, 2, 50],
  [100, 10, 50],
  [7, 10, 1],
  [1, 10, 200],
  [7, 31, 65],
  [100, 32, 50],
  [7, 33, 50],
  [7, 64, 50],
  [100, 3, 513],
];

describe.each(KERNEL_KINDS)("with %s kernels, rows", (kind) => {
  test.each(SIZES)(
    "[%i, %i] of sums of %i terms have the bits of logits apart",
    async (...sizes) => {
      const device = kinds[kind];
      const { x, w, b } = given(device, sizes);
      const logits = add(matmul(x, w), b);
      const [own, total] = [logSoftmax(logits), logSumExp(logits, { axis: 1 })];
      const mark = device.counters.now;
      evaluate(own);
      // Rows of more than 32 elements are not made where they are used.
      expect(device.counters.since(mark).dispatches).toBe(sizes[1] <= 32 ? 1 : 2);
      evaluate(total);
      evaluate(logits);
      const stored = tensor(await logits.data(), { shape: logits.shape, device });
      expect(await own.data()).toEqual(await logSoftmax(stored).data());
      expect(await total.data()).toEqual(await logSumExp(stored, { axis: 1 }).data());
      expectWithin(await own.data(), direct(sizes), (y) => 2e-6 * (4 + Math.abs(y)) * 3);
    },
  );

  test("that are wanted too are stored by the same kernel", async () => {
    const device = kinds[kind];
    const sizes = [7, 10, 50];
    const { x, w, b } = given(device, sizes);
    const run = compile((x: Tensor, w: Tensor) => {
      const logits = add(matmul(x, w), b);
      return { logits, p: softmax(logits) };
    });
    const { logits, p } = await run(x, w);
    const apart = add(matmul(x, w), b);
    expect(await logits.data()).toEqual(await apart.data());
    const stored = tensor(await apart.data(), { shape: [7, 10], device });
    expect(await p.data()).toEqual(await softmax(stored).data());
    expect((await run.plans[0].stats()).dispatches, await explain(run.plans[0])).toBe(1);
  });

  test("of stacks, and of examples that are mapped", async () => {
    const device = kinds[kind];
    const x = tensor(numbers(3 * 5 * 6, 1), { shape: [3, 5, 6], device });
    const w = tensor(numbers(3 * 6 * 4, 2), { shape: [3, 6, 4], device });
    const together = await softmax(matmul(x, w)).data();
    const each = vmap((a: Tensor, b: Tensor) => softmax(matmul(a, b)))(x, w);
    expect(await each.data()).toEqual(together);
    const apart = matmul(x, w);
    const stored = tensor(await apart.data(), { shape: [3, 5, 4], device });
    expect(together).toEqual(await softmax(stored).data());
  });

  test("that have NaN, ∞ or nothing else", async () => {
    const device = kinds[kind];
    const rows = [
      [1, Number.NaN],
      [1, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 1],
      [1e30, 1e30],
      [0, 0],
    ];
    const on = async (device: Device) => {
      const x = tensor(Float32Array.from(rows.flat()), { shape: [5, 2], device });
      const w = tensor(Float32Array.of(1, 2, 3, 0.5, 1, 2), { shape: [2, 3], device });
      const logits = matmul(x, w);
      const parts = [softmax(logits), logSoftmax(logits), logSumExp(logits, { axis: 1 })];
      return Promise.all(parts.map((part) => part.data()));
    };
    const [actual, wanted] = await Promise.all([on(device), on(cpu)]);
    for (const [i, one] of wanted.entries()) {
      expectWithin(actual[i], one, (y) => 1e-6 * (1 + Math.abs(y)));
    }
  });
});

const CLASSES = 5;
const ROWS = 9;
const labels = (device: Device) =>
  tensor(
    Int32Array.from({ length: ROWS }, (_, i) => (i * 3) % CLASSES),
    { device },
  );
const soft = (device: Device) =>
  softmax(tensor(numbers(ROWS * CLASSES, 7), { shape: [ROWS, CLASSES], device }));
const weights = (device: Device) => tensor(Float32Array.of(1, 2, 0.5, 0, 3), { device });

const LOSSES: Record<string, (logits: Tensor) => Tensor> = {
  "cross-entropy": (z) => crossEntropy(z, labels(z.device)),
  "the sum of cross-entropies": (z) => crossEntropy(z, labels(z.device), { reduction: "sum" }),
  "cross-entropies": (z) => crossEntropy(z, labels(z.device), { reduction: "none" }),
  "cross-entropy of soft targets": (z) => crossEntropy(z, soft(z.device)),
  "smoothed, weighted cross-entropy": (z) =>
    crossEntropy(z, labels(z.device), {
      labelSmoothing: 0.1,
      classWeights: weights(z.device),
      ignoreIndex: 3,
    }),
  "negative log likelihood": (z) => negativeLogLikelihood(logSoftmax(z), labels(z.device)),
  divergence: (z) => klDivergence(logSoftmax(z), soft(z.device)),
  focal: (z) => focal(z, labels(z.device), { gamma: 2 }),
  CosFace: (z) => crossEntropy(cosFaceLogits(mul(z, 0.1), labels(z.device)), labels(z.device)),
  ArcFace: (z) => crossEntropy(arcFaceLogits(mul(z, 0.1), labels(z.device)), labels(z.device)),
  "large margins": (z) => {
    const own = largeMarginLogits(
      mul(z, 0.1),
      ones([ROWS, 1], { device: z.device }),
      labels(z.device),
    );
    return crossEntropy(own, labels(z.device));
  },
};

describe.each(KERNEL_KINDS)("with %s kernels, a loss of made rows", (kind) => {
  test.each(Object.entries(LOSSES))("has its value and gradients: %s", async (_, loss) => {
    const on = async (device: Device) => {
      const { x, w, b } = given(device, [ROWS, CLASSES, 6]);
      const value = loss(add(matmul(x, w), b));
      const first = grad(sum(value), [x, w, b]);
      // Of second order: the gradient of what the first ones come to.
      const all = first.map((g, i) => sum(mul(g, [x, w, b][i])));
      const second = grad(
        all.reduce((a, b) => add(a, b)),
        [x, w],
      );
      const wanted = [value, ...first, ...second];
      evaluate(...wanted);
      return Promise.all(wanted.map((one) => one.data()));
    };
    const [actual, wanted] = [await on(kinds[kind]), await on(cpu)];
    for (const [i, one] of wanted.entries()) {
      const scale = Math.max(1, ...Array.from(one, Math.abs));
      expectWithin(actual[i], one, () => 1e-5 * scale);
    }
  });
});
