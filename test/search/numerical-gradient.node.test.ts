import { beforeAll, describe, expect, test, vi } from "vitest";
import { substitute } from "../../src/graph/substitute.ts";
import {
  add,
  type Device,
  exp,
  gather,
  grad,
  matmul,
  mul,
  oneHot,
  type Parameter,
  randomUniform,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, Sequential, Sigmoid } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { numericalGradient } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { generator } from "../support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const STEPS = 20;
const WITHIN = 1e-6;

/** A network of two layers, sigmoid between them, in float64. */
function network(inputs: number, hidden: number, outputs: number): Sequential {
  const options = { device, dtype: "f64" } as const;
  return new Sequential(
    new Linear(inputs, hidden, { ...options, seed: 1 }),
    new Sigmoid(),
    new Linear(hidden, outputs, { ...options, seed: 2 }),
  );
}

function batch(step: number, size: number, inputs: number, outputs: number) {
  const images = randomUniform([size, inputs], { device, dtype: "f64", seed: step });
  const labels = Int32Array.from({ length: size }, (_, i) => (step + 3 * i) % outputs);
  return { images, labels: tensor(labels, { device }) };
}

async function largestDifference(a: Tensor, b: Tensor): Promise<number> {
  const [p, q] = [await a.data(), await b.data()];
  expect(p.length).toBe(q.length);
  let worst = 0;
  for (let i = 0; i < p.length; i++) worst = Math.max(worst, Math.abs(p[i] - q[i]));
  return worst;
}

test("a network trained by differences stays with the one trained by backpropagation", async () => {
  const [numeric, analytic] = [network(12, 8, 4), network(12, 8, 4)];
  const rate = { learningRate: 0.5 };
  const byDifferences = new SGD(numeric.parameters(), rate);
  const byBackpropagation = new SGD(analytic.parameters(), rate);
  for (let step = 0; step < STEPS; step++) {
    const { images, labels } = batch(step, 6, 12, 4);
    const loss = (model: Sequential) => crossEntropy(model.call(images), labels);
    const gradients = await numericalGradient(() => loss(numeric), numeric.parameters());
    const expected = grad(loss(numeric), numeric.parameters());
    for (const [i, g] of gradients.entries()) {
      expect(await largestDifference(g, expected[i])).toBeLessThan(WITHIN);
    }
    byDifferences.apply(gradients);
    byBackpropagation.step(loss(analytic));
  }
  const expected = analytic.parameters();
  for (const [i, p] of numeric.parameters().entries()) {
    expect(p.version).toBe(STEPS);
    expect(await largestDifference(p, expected[i])).toBeLessThan(WITHIN);
  }
});

/** The difference in rows of a weight's gradient, chosen at random. */
async function inRows(
  weight: Parameter,
  gradient: Tensor,
  loss: () => Tensor,
  count: number,
): Promise<number> {
  const [inputs, outputs] = weight.shape;
  const drawn = Int32Array.from({ length: count }, () => Math.floor(next() * inputs));
  const rows = tensor(drawn, { device });
  const places = transpose(oneHot(rows, inputs, { dtype: "f64" }));
  const shifted = (d: Tensor) => substitute([[weight, add(weight, matmul(places, d))]], loss);
  const none = zeros([count, outputs], { device, dtype: "f64" });
  return largestDifference(await numericalGradient(shifted, none), gather(gradient, rows));
}

const next = generator(5);

test("backpropagation agrees with differences through 20 steps of 784-50-10", async () => {
  const model = network(784, 50, 10);
  const parameters = model.parameters();
  const optimizer = new SGD(parameters, { learningRate: 0.5 });
  for (let step = 0; step < STEPS; step++) {
    const { images, labels } = batch(step, 4, 784, 10);
    const loss = () => crossEntropy(model.call(images), labels);
    const [w1, b1, w2, b2] = grad(loss(), parameters);
    const [first, second] = await numericalGradient(loss, [parameters[1], parameters[3]]);
    expect(await largestDifference(first, b1)).toBeLessThan(WITHIN);
    expect(await largestDifference(second, b2)).toBeLessThan(WITHIN);
    expect(await inRows(parameters[0], w1, loss, 1)).toBeLessThan(WITHIN);
    expect(await inRows(parameters[2], w2, loss, 4)).toBeLessThan(WITHIN);
    optimizer.step(loss());
  }
}, 120_000);

describe("the step that is taken when none is given", () => {
  const cases: [string, (x: Tensor) => Tensor, (v: number) => number, number[]][] = [
    ["x²", (x) => sum(square(x)), (v) => 2 * v, [3, 4, 0, -1e-3, 1e4]],
    ["x³", (x) => sum(mul(x, square(x))), (v) => 3 * v * v, [2, -1, 1e-3, 300]],
    ["eˣ", (x) => sum(exp(x)), Math.exp, [0, 1, -3]],
  ];
  for (const dtype of ["f32", "f64"] as const) {
    for (const [name, f, slope, values] of cases) {
      test(`${name} in ${dtype}`, async () => {
        for (const value of values) {
          const found = await numericalGradient(f, tensor([value], { device, dtype }));
          const expected = slope(value);
          const scale = Math.max(1, Math.abs(expected));
          const error = Math.abs((await found.item()) - expected) / scale;
          expect(error, `at ${value}`).toBeLessThan(dtype === "f32" ? 3e-4 : 1e-9);
        }
      });
    }
  }

  test("is not needed where there are no elements", async () => {
    const f = vi.fn((v: Tensor) => sum(v));
    const found = await numericalGradient(f, zeros([0, 3], { device, dtype: "f64" }));
    expect([found.shape, found.dtype, found.device]).toEqual([[0, 3], "f64", device]);
    expect(f).not.toHaveBeenCalled();
  });

  test("may be another, which is as far as it was rounded", async () => {
    const x = tensor([3, 4], { device });
    const found = await numericalGradient((v) => sum(square(v)), x, { epsilon: 0.5 });
    expect(await found.toArray()).toEqual([6, 8]); // the square has no third derivative
  });

  test.each<[() => Promise<unknown>, string]>([
    [
      () => numericalGradient((v) => sum(v), tensor([1], { device }), { epsilon: 0 }),
      "numericalGradient: epsilon 0; expected a finite number above 0",
    ],
    [
      () => numericalGradient((v) => sum(v), tensor([1], { device }), { h: 1 } as object),
      'numericalGradient: unknown option "h"; expected epsilon',
    ],
    [
      () => numericalGradient((v) => v, tensor([1, 2], { device })),
      "numericalGradient: f gives shape [2]; expected a scalar",
    ],
    [
      () => numericalGradient((v) => sum(v), tensor([1], { device, dtype: "i32" })),
      "numericalGradient: x has dtype i32; expected f32 or f64",
    ],
    [
      () => numericalGradient((() => 1) as never, tensor([1], { device })),
      "numericalGradient: f gives 1; expected a tensor, a scalar",
    ],
    [
      () => numericalGradient((v) => sum(v), tensor([1], { device }), 0.5 as never),
      "numericalGradient: options 0.5; expected an object of epsilon. Did you mean { epsilon: 0.5 }?",
    ],
    [
      () => numericalGradient(1 as never, tensor([1], { device })),
      "numericalGradient: f is 1; expected a function",
    ],
  ])("refuses %#", async (run, message) => {
    await expect(run()).rejects.toThrow(message);
  });
});
