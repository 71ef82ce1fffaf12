import { beforeAll, expect, test } from "vitest";
import { substitute } from "../src/graph/substitute.ts";
import {
  add,
  type Device,
  gather,
  grad,
  matmul,
  oneHot,
  type Parameter,
  randomUniform,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../src/index.ts";
import { crossEntropy } from "../src/losses/index.ts";
import { Linear, Sequential, Sigmoid } from "../src/nn/index.ts";
import { SGD } from "../src/optim/index.ts";
import { numericalGradient } from "../src/train/index.ts";
import { testDevice } from "./support/device.ts";
import { generator } from "./support/reference.ts";

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
