import { beforeAll, expect, test } from "vitest";
import { grad, init, Parameter, type Tensor, tensor } from "../../src/index.ts";
import { CenterLoss } from "../../src/losses/index.ts";
import { Module } from "../../src/nn/index.ts";
import { matmul } from "../../src/ops/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { inBrowser, testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

const INPUTS = [
  [1, 2],
  [3, -1],
  [-2, 0.5],
  [4, 4],
];
const LABELS = [0, 2, 0, 9];
const WEIGHT = [
  [1, 0.5],
  [-0.25, 1],
];
const RATE = 0.5;
const LEARNING_RATE = 0.1;

class Net extends Module {
  readonly weight = new Parameter(tensor(WEIGHT), { name: "weight" });
  readonly centers = new CenterLoss(2, 3, { rate: RATE });

  override forward(x: Tensor): Tensor {
    return matmul(x, this.weight);
  }
}

interface Batch {
  readonly inputs: Tensor;
  readonly labels: Tensor;
}

/** Steps of gradient descent on the center loss and of eq. 4, in plain loops. */
function reference(steps: number) {
  const weight = WEIGHT.map((row) => [...row]);
  const centers = [0, 1, 2].map(() => [0, 0]);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const features = INPUTS.map((x) =>
      [0, 1].map((f) => x[0] * weight[0][f] + x[1] * weight[1][f]),
    );
    const members = LABELS.flatMap((label, i) => (label < 3 ? [i] : []));
    const away = (i: number, f: number) => features[i][f] - centers[LABELS[i]][f];
    losses.push(members.reduce((sum, i) => sum + (away(i, 0) ** 2 + away(i, 1) ** 2) / 2, 0) / 4);
    const slopes = weight.map((_, r) =>
      [0, 1].map((f) => members.reduce((sum, i) => sum + (INPUTS[i][r] * away(i, f)) / 4, 0)),
    );
    const moves = centers.map((_, c) => {
      const own = members.filter((i) => LABELS[i] === c);
      return [0, 1].map((f) => own.reduce((sum, i) => sum + away(i, f), 0) / (1 + own.length));
    });
    for (const [c, move] of moves.entries())
      for (const f of [0, 1]) centers[c][f] += RATE * move[f];
    for (const r of [0, 1]) for (const f of [0, 1]) weight[r][f] -= LEARNING_RATE * slopes[r][f];
  }
  return { weight: weight.flat(), centers: centers.flat(), losses };
}

const batch = (): Batch => ({
  inputs: tensor(INPUTS),
  labels: tensor(LABELS, { dtype: "u8" }),
});

test.each([
  ["lossAndUpdate", (net: Net, x: Tensor, y: Tensor) => net.centers.lossAndUpdate(x, y)],
  [
    "loss, then update",
    (net: Net, x: Tensor, y: Tensor) => {
      const loss = net.centers.loss(x, y);
      net.centers.update(x, y);
      return loss;
    },
  ],
])("centers move inside a compiled step: %s", async (_, lossOf) => {
  using net = new Net();
  const optimizer = new SGD(net.parameters(), { learningRate: LEARNING_RATE });
  const step = trainStep<Net, Batch>({
    model: net,
    optimizer,
    loss: (model, { inputs, labels }) => lossOf(model, model.call(inputs), labels),
  });
  const given = batch();
  for (let i = 0; i < 6; i++) await step(given);
  const expected = reference(6);
  expectClose(
    (await step.read()).map(({ loss }) => loss),
    expected.losses,
    4,
  );
  expectClose(await net.centers.centers.data(), expected.centers, 4);
  expectClose(await net.weight.data(), expected.weight, 4);
  step.dispose();
});

test("centers move in steps one by one, and the loss stays that of before", async () => {
  using net = new Net();
  const optimizer = new SGD(net.parameters(), { learningRate: LEARNING_RATE });
  const losses: number[] = [];
  const { inputs, labels } = batch();
  for (let i = 0; i < 4; i++) {
    const loss = net.centers.lossAndUpdate(net.call(inputs), labels);
    optimizer.step(loss);
    losses.push(await loss.item());
  }
  const expected = reference(4);
  expectClose(losses, expected.losses, 4);
  expectClose(await net.centers.centers.data(), expected.centers, 4);
  expectClose(await net.weight.data(), expected.weight, 4);
});

test("a loss that was not evaluated before its centers moved says so", async () => {
  using net = new Net();
  const { inputs, labels } = batch();
  const features = net.call(inputs);
  const loss = net.centers.loss(features, labels);
  net.centers.update(features, labels);
  await expect(loss.item()).rejects.toThrow("centers");
});

test("centers are saved with the model and no optimizer sees them", async () => {
  using net = new Net();
  expect([...net.state().keys()]).toEqual(["weight", "centers.centers"]);
  expect(net.parameters()).toEqual([net.weight]);
  const { inputs, labels } = batch();
  const { centers } = net.centers;
  expect(() => grad(net.centers.loss(net.call(inputs), labels), [centers])).toThrow(
    'grad: y does not depend on "centers.centers"',
  );
});

test("the nearest center has the largest logit", async () => {
  using loss = new CenterLoss(2, 2, { rate: 1 });
  loss.update(
    tensor([
      [2, 0],
      [0, 4],
    ]),
    tensor([0, 1], { dtype: "i32" }),
  );
  expectClose(await loss.centers.data(), [1, 0, 0, 2]);
  expectClose(await loss.call(tensor([[1, 1]])).data(), [-0.5, -1]);
});

test("CenterLoss rejects sizes and rates out of their range", () => {
  expect(() => new CenterLoss(2, 0)).toThrow("CenterLoss: classes 0; expected a positive integer");
  expect(() => new CenterLoss(-1, 2)).toThrow("CenterLoss: features -1; expected a positive");
  expect(() => new CenterLoss(2, 2, { rate: 2 })).toThrow("CenterLoss: rate 2; expected 0 to 1");
});

test("CenterLoss keeps to its dtype, and speaks by its name", async () => {
  const loss = new CenterLoss(2, 3);
  expect([loss.centers.dtype, loss.rate]).toEqual(["f32", 0.5]);
  const labels = tensor([0], { dtype: "i32" });
  const x = tensor([[1, 2]]);
  for (const run of [
    () => loss.loss(x, tensor([0, 1], { dtype: "i32" })),
    () => loss.update(x, tensor([0, 1], { dtype: "i32" })),
    () => loss.lossAndUpdate(x, tensor([0, 1], { dtype: "i32" })),
  ]) {
    expect(run).toThrow("CenterLoss: labels [2]; expected [1], one for each example");
  }
  for (const run of [
    () => loss.loss([[1, 2]] as never, labels),
    () => loss.update([[1, 2]] as never, labels),
    () => loss.lossAndUpdate([[1, 2]] as never, labels),
  ]) {
    expect(run).toThrow("CenterLoss: input 0 is an array; expected a tensor");
  }
  for (const run of [
    () => loss.loss(x, labels, { reduction: "max" as never }),
    () => loss.lossAndUpdate(x, labels, { reduction: "max" as never }),
  ]) {
    expect(run).toThrow("CenterLoss: reduction max; expected mean, sum, none");
  }
  if (inBrowser) return;
  const { device: cpu } = await init({ device: "cpu", isolated: true });
  const exact = new CenterLoss(2, 3, { device: cpu, dtype: "f64", rate: 1 });
  expect([exact.centers.dtype, exact.centers.device]).toEqual(["f64", cpu]);
  const [features, one] = [
    tensor([[1 + 1e-12, 2]], { device: cpu, dtype: "f64" }),
    tensor([1], { device: cpu, dtype: "i32" }),
  ];
  expect(() => exact.loss(tensor([[1, 2]], { device: cpu }), one)).toThrow(
    "CenterLoss: features have dtype f32, centers f64; expected one dtype",
  );
  exact.update(features, one);
  expect(await exact.centers.toArray()).toEqual([
    [0, 0],
    [(1 + 1e-12) / 2, 1],
    [0, 0],
  ]);
});
