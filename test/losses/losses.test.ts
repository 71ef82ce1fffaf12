import { beforeAll, expect, test } from "vitest";
import {
  GradusError,
  grad,
  gradCheck,
  init,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import * as losses from "../../src/losses/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { logSoftmax } from "../../src/ops/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { inBrowser, testDevice } from "../support/device.ts";

const { crossEntropy, meanSquaredError, quadratic } = losses;

beforeAll(async () => {
  await testDevice();
});

const LOGITS = [
  [1, 2, 0.5],
  [-1, 0, 3],
  [0, 0, 0],
  [4, -2, 1],
];
const LABELS = [1, 2, 0, 1];

function softmax(z: readonly number[]): number[] {
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b);
  return e.map((v) => v / total);
}

test("crossEntropy of labels and its gradient (p − t) / n are the formulas", async () => {
  const z = tensor(LOGITS);
  const each = LOGITS.map((row, i) => -Math.log(softmax(row)[LABELS[i]]));
  const total = each.reduce((a, b) => a + b);
  for (const dtype of ["i32", "u32", "u8"] as const) {
    const t = tensor(LABELS, { dtype });
    expect(await crossEntropy(z, t).item()).toBeCloseTo(total / 4, 5);
    expect(await crossEntropy(z, t, { reduction: "sum" }).item()).toBeCloseTo(total, 5);
    expectClose(await crossEntropy(z, t, { reduction: "none" }).data(), each);
  }
  const [dz] = grad(crossEntropy(z, tensor(LABELS, { dtype: "i32" })), [z]);
  const slopes = LOGITS.flatMap((row, i) =>
    softmax(row).map((p, j) => (p - Number(j === LABELS[i])) / 4),
  );
  expectClose(await dz.data(), slopes, 6);
});

test("one-hot targets give what labels give, soft ones the weighted sum", async () => {
  const z = tensor(LOGITS);
  const hot = tensor(LABELS.map((label) => [0, 1, 2].map((i) => Number(i === label))));
  const expected = await crossEntropy(z, tensor(LABELS, { dtype: "i32" })).item();
  expect(await crossEntropy(z, hot).item()).toBeCloseTo(expected, 6);
  const soft = [0.2, 0.5, 0.3];
  const loss = soft.reduce((sum, t, i) => sum - t * Math.log(softmax(LOGITS[0])[i]), 0);
  expect(await crossEntropy(tensor([LOGITS[0]]), tensor([soft])).item()).toBeCloseTo(loss, 5);
});

test.each([89, 120, 1e4])("crossEntropy is exact and finite for logits of ±%d", async (big) => {
  const z = tensor([
    [big, big - 1],
    [-big, big],
    [big, -big],
  ]);
  const t = tensor([0, 1, 1], { dtype: "i32" });
  const losses = await crossEntropy(z, t, { reduction: "none" }).data();
  expect(losses[0]).toBeCloseTo(Math.log1p(Math.exp(-1)), 5);
  expect(losses[1]).toBeCloseTo(0, 12);
  expect(losses[2] / (2 * big)).toBeCloseTo(1, 6);
  const slopes = await grad(crossEntropy(z, t, { reduction: "sum" }), [z])[0].data();
  const p = 1 / (1 + Math.exp(-1));
  expectClose(slopes, [p - 1, 1 - p, 0, 0, 1, -1]);
});

test("a logit of −∞ masks its class", async () => {
  const z = tensor([[0, Number.NEGATIVE_INFINITY, 0]]);
  const hot = tensor([[1, 0, 0]]);
  expect(await crossEntropy(z, tensor([0], { dtype: "i32" })).item()).toBeCloseTo(Math.LN2, 6);
  expect(await crossEntropy(z, hot).item()).toBeCloseTo(Math.LN2, 6);
  expectClose(await grad(crossEntropy(z, hot), [z])[0].data(), [-0.5, 0, 0.5], 6);
});

/** Losses of scores and labels, by name. */
const OF_LABELS = {
  crossEntropy,
  smoothed: (z: Tensor, t: Tensor, o?: losses.LossOptions) =>
    crossEntropy(z, t, { ...o, labelSmoothing: 0.1 }),
  negativeLogLikelihood: losses.negativeLogLikelihood,
  categoricalCrossEntropy: (z: Tensor, t: Tensor, o: losses.LossOptions) =>
    losses.categoricalCrossEntropy(square(z), t, o),
  focal: losses.focal,
  categoricalHinge: losses.categoricalHinge,
  multiclassHinge: losses.multiclassHinge,
  multiMargin: losses.multiMargin,
} as const;

for (const [name, loss] of Object.entries(OF_LABELS)) {
  test(`${name}: a label outside the classes is an error where the device can throw`, async () => {
    const z = tensor(LOGITS);
    for (const label of [3, -1]) {
      const t = tensor([1, label, 0, 1], { dtype: "i32" });
      const each = loss(z, t, { reduction: "none" });
      if (!inBrowser) {
        const op = name === "smoothed" ? "crossEntropy" : name;
        const message = `${op}: label ${label} of example 1; expected 0 to 2`;
        await expect(each.data()).rejects.toThrow(new GradusError(message));
        continue;
      }
      await each.data();
      const [dz] = grad(loss(z, t, { reduction: "sum" }), [z]);
      const contributes = name.endsWith("Hinge") || name === "multiMargin";
      if (!contributes) expect((await dz.data()).slice(3, 6).map(Math.abs)).toEqual(zero3);
    }
  });
}

const zero3 = Float32Array.of(0, 0, 0);

// Kernels cannot stop a plan: on WebGPU a wrong label counts as its documentation says.
const testOnCpu = test.skipIf(inBrowser);

testOnCpu("an error in the middle of a plan leaves the device as it was", async () => {
  const z = tensor(LOGITS);
  const wrong = tensor([1, 3, 0, 1], { dtype: "i32" });
  const right = tensor(LABELS, { dtype: "i32" });
  const before = await crossEntropy(z, right).item();
  const device = await testDevice();
  const { bytes } = device.memory();
  for (let i = 0; i < 3; i++) {
    await expect(crossEntropy(z, wrong).item()).rejects.toThrow("label 3");
    expect(await crossEntropy(z, right).item()).toBe(before);
  }
  expect(device.memory().bytes).toBeLessThan(bytes + 1000);
});

test("a step with a wrong label throws, changes nothing, and the next one goes on", async () => {
  if (inBrowser) return;
  using model = new Sequential(new Linear(3, 3, { seed: 1 }));
  using optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { x, t }: { x: Tensor; t: Tensor }) => crossEntropy(net.call(x), t),
  });
  const x = tensor(LOGITS);
  const t = (label: number) => tensor([1, label, 0, 1], { dtype: "i32" });
  await step({ x, t: t(2) });
  const [weight] = model.parameters();
  const before = await weight.data();
  const wrong = (async () => {
    await step({ x, t: t(7) });
    await step.read();
  })();
  await expect(wrong).rejects.toThrow("crossEntropy: label 7 of example 1; expected 0 to 2");
  expect(await weight.data()).toEqual(before);
  expect([step.next, await optimizer.counter.item()]).toEqual([1, 1]);
  await step({ x, t: t(2) });
  expect((await step.read()).map((report) => report.step)).toEqual([0, 1]);
  step.dispose();
});

test("an ignored label is none, and any other outside is still an error", async () => {
  const z = tensor(LOGITS);
  const t = (label: number) => tensor([1, 2, label, 1], { dtype: "i32" });
  const loss = crossEntropy(z, t(-1), { ignoreIndex: -1, reduction: "none" });
  expect((await loss.data())[2]).toBe(0);
  const [dz] = grad(crossEntropy(z, t(255), { ignoreIndex: 255 }), [z]);
  expect((await dz.data()).slice(6, 9).map(Math.abs)).toEqual(zero3);
  if (inBrowser) return;
  await expect(crossEntropy(z, t(7), { ignoreIndex: -1 }).item()).rejects.toThrow(
    "crossEntropy: label 7 of example 2; expected 0 to 2 or -1, which is ignored",
  );
});

test("meanSquaredError averages over elements, quadratic halves and averages over examples", async () => {
  const y = tensor([
    [1, 2],
    [3, 5],
  ]);
  const t = tensor([
    [0, 2],
    [1, 1],
  ]);
  expect(await meanSquaredError(y, t).item()).toBe(21 / 4);
  expect(await meanSquaredError(y, t, { reduction: "none" }).toArray()).toEqual([
    [1, 0],
    [4, 16],
  ]);
  expect(await quadratic(y, t).item()).toBe(21 / 4);
  expect(await quadratic(y, t, { reduction: "none" }).toArray()).toEqual([0.5, 10]);
  expect(await quadratic(y, t, { reduction: "sum" }).item()).toBe(10.5);
  expect(await grad(quadratic(y, t), [y])[0].toArray()).toEqual([
    [0.5, 0],
    [1, 2],
  ]);
  expect(() => meanSquaredError(y, zeros([2]))).toThrow(
    "meanSquaredError: outputs [2, 2] with targets [2]; expected equal shapes",
  );
});

const BIG = [89, -89, 120, -120, 1e4, -1e4];
const RIGHT = [1, 0, 1, 0, 1, 0];
const WRONG = [0, 1, 0, 1, 0, 1];

/** Gradients of the sum of losses with respect to outputs. */
async function slopes(
  loss: (y: Tensor, t: Tensor, options: losses.LossOptions) => Tensor,
  y: readonly number[],
  t: readonly number[],
): Promise<number[]> {
  const x = tensor([...y]);
  return [...(await grad(loss(x, tensor([...t]), { reduction: "sum" }), [x])[0].data())];
}

test("losses of logits are finite and exact at ±89, ±120, ±1e4, and so are gradients", async () => {
  const z = tensor(BIG);
  for (const loss of [losses.binaryCrossEntropyWithLogits, losses.binaryFocal]) {
    const wrong = await loss(z, tensor(WRONG), { reduction: "none" }).data();
    expectClose(
      [...wrong].map((v, i) => v / Math.abs(BIG[i])),
      [1, 1, 1, 1, 1, 1],
      6,
    );
    const right = await loss(z, tensor(RIGHT), { reduction: "none" }).data();
    expectClose(right, [0, 0, 0, 0, 0, 0], 12);
    expectClose(await slopes(loss, BIG, WRONG), BIG.map(Math.sign), 6);
    expectClose(await slopes(loss, BIG, RIGHT), [0, 0, 0, 0, 0, 0], 12);
  }
  const pairs = tensor(BIG.map((v) => [v, 0]));
  const labels = tensor(
    WRONG.map((t) => 1 - t),
    { dtype: "i32" },
  );
  const each = losses.focal(pairs, labels, { reduction: "none" });
  expectClose(
    [...(await each.data())].map((v, i) => v / Math.abs(BIG[i])),
    [1, 1, 1, 1, 1, 1],
    6,
  );
  const [dz] = grad(losses.focal(pairs, labels, { reduction: "sum" }), [pairs]);
  expectClose(
    await dz.data(),
    BIG.flatMap((v) => [Math.sign(v), -Math.sign(v)]),
    6,
  );
});

test("focal losses with γ below 1 have a slope of 0 where nothing is missed", async () => {
  const z = tensor([[1e4, 0]]);
  const loss = losses.focal(z, tensor([0], { dtype: "i32" }), { gamma: 0.5 });
  expectClose(await grad(loss, [z])[0].data(), [0, 0]);
  const binary: typeof losses.binaryFocal = (y, t, o) =>
    losses.binaryFocal(y, t, { ...o, gamma: 0.5 });
  expectClose(await slopes(binary, BIG, RIGHT), [0, 0, 0, 0, 0, 0]);
});

test("small losses of confident logits keep their digits", async () => {
  const tiny = await losses
    .binaryCrossEntropyWithLogits(tensor([20, -30]), tensor([1, 0]), { reduction: "none" })
    .data();
  expect(tiny[0] / Math.exp(-20)).toBeCloseTo(1, 5);
  expect(tiny[1] / Math.exp(-30)).toBeCloseTo(1, 5);
  const [dz] = await slopes(losses.binaryCrossEntropyWithLogits, [20], [1]);
  expect(dz / -Math.exp(-20)).toBeCloseTo(1, 5);
});

test("logCosh, huber and smoothL1 have slopes of ±1 far out", async () => {
  for (const loss of [losses.logCosh, losses.huber, losses.smoothL1]) {
    expectClose(await slopes(loss, BIG, [0, 0, 0, 0, 0, 0]), BIG.map(Math.sign), 6);
  }
});

test("at kinks the gradient is the one that is documented", async () => {
  expect(await slopes(losses.meanAbsoluteError, [2, 0], [2, 0])).toEqual([0, 0]);
  expect(await slopes(losses.l2Loss, [2, 0], [2, 0])).toEqual([0, 0]);
  expectClose(await slopes(losses.huber, [1, -1, 0], [0, 0, 0]), [1, -1, 0]);
  expectClose(await slopes(losses.pinball, [1], [1]), [0]);
  expect((await slopes(losses.hinge, [1, 1], [1, 0])).map(Math.abs)).toEqual([0, 0]);
  const p = await slopes(losses.binaryCrossEntropy, [0, 1, 0], [0, 1, 1]);
  expectClose(p.slice(0, 2), [0, 0]);
  expect(p[2] / -1e12).toBeCloseTo(1, 5);
});

test("a variance below ε has the gradient that it would have at ε", async () => {
  const v = tensor([0, 4]);
  const loss = losses.gaussianNLL(tensor([1, 0]), tensor([0, 0]), v, {
    reduction: "sum",
    epsilon: 0.5,
  });
  // ½ (1/v − d²/v²)
  expectClose(await grad(loss, [v])[0].data(), [0.5 * (2 - 4), 1 / 8]);
});

test("what counts nothing has no gradient, even where a logit is −∞", async () => {
  const masked = tensor([[0, Number.NEGATIVE_INFINITY, 0]]);
  const t = tensor([[1, 0, 0]]);
  for (const loss of [losses.focal, OF_LABELS.smoothed]) {
    const [dz] = grad(loss(masked, t), [masked]);
    expect((await dz.data()).every(Number.isFinite)).toBe(true);
  }
  const [dy] = grad(losses.klDivergence(masked, t, { reduction: "sum" }), [masked]);
  expectClose(await dy.data(), [-1, 0, 0]);
});

test("weights count examples or single losses; the mean divides by the number of losses", async () => {
  const [y, t] = [tensor(LOGITS), zeros([4, 3])];
  const squares = LOGITS.map((row) => row.map((v) => v * v));
  const rows = squares.map((row) => row.reduce((a, b) => a + b));
  const masked = meanSquaredError(y, t, { weights: tensor([true, false, true, false]) });
  expect(await masked.item()).toBeCloseTo((rows[0] + rows[2]) / 12, 5);
  const single = LOGITS.map((_, i) => [i, 1, 2]);
  const each = meanSquaredError(y, t, { weights: tensor(single), reduction: "none" });
  expect(await each.toArray()).toEqual(squares.map((row, i) => [row[0] * i, row[1], row[2] * 2]));
  expect(() => meanSquaredError(y, t, { weights: zeros([3]) })).toThrow(
    "meanSquaredError: weights [3]; expected [4, 3] or [n]",
  );
});

test("of no examples the sum is 0 and the mean NaN", async () => {
  const none = zeros([0, 3]);
  const labels = tensor([], { dtype: "i32" });
  expect(await crossEntropy(none, labels, { reduction: "sum" }).item()).toBe(0);
  expect(await crossEntropy(none, labels).item()).toBeNaN();
  expect(await meanSquaredError(none, none).item()).toBeNaN();
});

test("class weights of 1 change nothing, value and gradient", async () => {
  const z = tensor(LOGITS);
  const labels = tensor(LABELS, { dtype: "i32" });
  const [plain, weighted] = [
    crossEntropy(z, labels),
    crossEntropy(z, labels, { classWeights: tensor([1, 1, 1]) }),
  ];
  const [dz] = grad(plain, [z]);
  const [same] = grad(weighted, [z]);
  expect(await weighted.item()).toBeCloseTo(await plain.item(), 6);
  expectClose(await same.data(), [...(await dz.data())], 6);
});

test("class weights, smoothing and an ignored label follow their formulas", async () => {
  const [w, epsilon, ignored] = [[0.5, 2, 3], 0.3, 0];
  const z = tensor(LOGITS);
  const loss = crossEntropy(z, tensor(LABELS, { dtype: "u8" }), {
    classWeights: tensor(w),
    labelSmoothing: epsilon,
    ignoreIndex: ignored,
  });
  const [dz] = grad(loss, [z]);
  const kept = LABELS.flatMap((label, i) => (label === ignored ? [] : [[label, i]]));
  const total = kept.reduce((sum, [label]) => sum + w[label], 0);
  const each = kept.map(([label, i]) => {
    const logs = softmax(LOGITS[i]).map(Math.log);
    const rest = logs.reduce((sum, v, k) => sum + w[k] * v, 0) / 3;
    return -(1 - epsilon) * w[label] * logs[label] - epsilon * rest;
  });
  expect(await loss.item()).toBeCloseTo(each.reduce((a, b) => a + b) / total, 5);
  const slope = (await dz.toArray()) as number[][];
  expect(slope[LABELS.indexOf(ignored)].map(Math.abs)).toEqual([0, 0, 0]);
});

test("negativeLogLikelihood of logSoftmax and focal without focus are crossEntropy", async () => {
  const z = tensor(LOGITS);
  const labels = tensor(LABELS, { dtype: "i32" });
  const expected = await crossEntropy(z, labels).item();
  const composed = losses.negativeLogLikelihood(logSoftmax(z), labels);
  expect(await composed.item()).toBeCloseTo(expected, 6);
  expect(await losses.focal(z, labels, { gamma: 0 }).item()).toBeCloseTo(expected, 6);
});

test("gradients agree with central differences in float64", async () => {
  const { device } = await init({ device: "cpu", isolated: true });
  const on = { device, dtype: "f64" } as const;
  const z = tensor(LOGITS, on);
  const labels = tensor(LABELS, { device, dtype: "i32" });
  const soft = tensor(LOGITS.map(softmax), on);
  await gradCheck((x) => crossEntropy(x, labels), [z]);
  await gradCheck((x, t) => crossEntropy(x, t), [z, soft]);
  const curvature = (x: Tensor) => sum(square(grad(crossEntropy(x, labels), [x])[0]));
  await gradCheck(curvature, [z]);
  await gradCheck((x, t) => meanSquaredError(x, t), [z, soft]);
  await gradCheck((x, t) => quadratic(x, t), [z, soft]);
});
