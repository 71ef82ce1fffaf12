import { beforeAll, expect, test } from "vitest";
import { grad, gradCheck, init, square, sum, type Tensor, tensor, zeros } from "../src/index.ts";
import { crossEntropy, meanSquaredError, quadratic } from "../src/losses/index.ts";
import { expectClose } from "./support/close.ts";
import { testDevice } from "./support/device.ts";

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

test("a label outside the classes contributes nothing", async () => {
  const z = tensor(LOGITS);
  const t = tensor([1, 3, -1, 1], { dtype: "i32" });
  const losses = crossEntropy(z, t, { reduction: "none" });
  const slopes = await grad(crossEntropy(z, t, { reduction: "sum" }), [z])[0].toArray();
  expect((await losses.data()).map(Math.abs).slice(1, 3)).toEqual(Float32Array.of(0, 0));
  expect((slopes as number[][]).slice(1, 3)).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
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

test("gradients agree with central differences in float64", async () => {
  const { device } = await init({ device: "cpu", asDefault: false });
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
