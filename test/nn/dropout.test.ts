import { beforeAll, expect, test } from "vitest";
import { randomBits, uniformFromBits } from "../../src/core/random.ts";
import {
  compile,
  type Device,
  evaluate,
  foldIn,
  grad,
  keyFromSeed,
  matmul,
  mean,
  mul,
  ones,
  randomNormal,
  relu,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  variance,
} from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import {
  AlphaDropout,
  Dropout,
  FeatureAlphaDropout,
  Fold,
  Linear,
  loadState,
  Module,
  RReLU,
  Sequential,
  Unfold,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** The elements that stay at a step, from the definition of the random stream. */
function stays(seed: number, step: number, count: number, rate: number): boolean[] {
  const bits = randomBits(foldIn(keyFromSeed(seed), step), count);
  return [...bits].map((word) => uniformFromBits(word) < 1 - rate);
}

test("training drops elements and scales the others, anew in each call", async () => {
  using dropout = new Dropout(0.25, { seed: 7 }).train();
  const x = tensor([1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { shape: [3, 4] });
  for (const step of [0, 1, 2]) {
    const values = await dropout.call(x).data();
    const kept = stays(7, step, 12, 0.25);
    const inputs = [1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const scale = Math.fround(1 / 0.75);
    expect([...values]).toEqual(inputs.map((v, i) => (kept[i] ? Math.fround(v * scale) : 0)));
    expect(await dropout.step.item()).toBe(step + 1);
  }
});

test("the share that is dropped is the rate, and means stay", async () => {
  using dropout = new Dropout(0.3, { seed: 1 }).train();
  const values = await dropout.call(ones([40_000])).data();
  const dropped = values.filter((v) => v === 0).length / values.length;
  // standard error √(0.3 · 0.7 / 40,000) = 0.0023
  expect(Math.abs(dropped - 0.3)).toBeLessThan(0.012);
  const total = [...values].reduce((a, b) => a + b) / values.length;
  expect(Math.abs(total - 1)).toBeLessThan(0.02);
});

test("evaluation, and a rate of 0, change neither values nor counter", async () => {
  using dropout = new Dropout(0.5, { seed: 1 });
  const x = ones([4]);
  expect(dropout.call(x)).toBe(x);
  expect(dropout.train().eval().call(x)).toBe(x);
  expect(await dropout.step.item()).toBe(0);
  using none = new Dropout(0).train();
  expect(none.call(x)).toBe(x);
  expect(() => new Dropout(1)).toThrow("Dropout: rate 1; expected a number from 0 and below 1");
  expect(() => new Dropout(Number.NaN)).toThrow("Dropout: rate NaN");
});

test("the gradient passes the same mask, also where a module is called twice", async () => {
  using dropout = new Dropout(0.5, { seed: 3 }).train();
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8]);
  const first = dropout.call(x);
  const second = dropout.call(x);
  const weights = tensor([1, 1, 2, 2, 3, 3, 4, 4]);
  const [dx] = grad(sum(mul(first.add(second.mul(10)), weights)), [x]);
  const masks = [stays(3, 0, 8, 0.5), stays(3, 1, 8, 0.5)];
  const expected = [1, 1, 2, 2, 3, 3, 4, 4].map(
    (w, i) => w * 2 * (Number(masks[0][i]) + 10 * Number(masks[1][i])),
  );
  expect([...(await dx.data())]).toEqual(expected);
  expect([...(await first.data())]).toEqual(
    [...(await x.data())].map((v, i) => (masks[0][i] ? 2 * v : 0)),
  );
});

test("layers without seed draw different masks; equal seeds draw equal ones", async () => {
  using a = new Dropout(0.5).train();
  using b = new Dropout(0.5).train();
  using c = new Dropout(0.5, { key: keyFromSeed(5) }).train();
  using d = new Dropout(0.5, { seed: 5 }).train();
  const [va, vb, vc, vd] = await Promise.all(
    [a, b, c, d].map((dropout) => dropout.call(ones([64])).data()),
  );
  expect(va).not.toEqual(vb);
  expect(vc).toEqual(vd);
});

test("alpha dropout keeps mean and variance of elements, and of whole channels", async () => {
  using alpha = new AlphaDropout(0.3, { seed: 1 }).train();
  using feature = new FeatureAlphaDropout(0.3, { seed: 1 }).train();
  const x = randomNormal([200, 400], { seed: 2 });
  for (const layer of [alpha, feature]) {
    const y = layer.call(layer === alpha ? x : reshape(x, [200, 50, 8]));
    // standard errors 1 / √80,000 of means, and more where eight elements go together
    expect(Math.abs((await mean(y).item()) as number)).toBeLessThan(0.04);
    expect(Math.abs(((await variance(y).item()) as number) - 1)).toBeLessThan(0.05);
    expect(await layer.step.item()).toBe(1);
    expect(layer.eval().call(x)).toBe(x);
  }
  // Each element is what PyTorch makes of one that stays or goes, by the mask that Dropout draws.
  const [values, inputs] = [await alpha.train().call(x).data(), await x.data()];
  const kept = stays(1, 1, 80_000, 0.3);
  const a = (0.7 * (1 + 0.3 * 1.7580993408473766 ** 2)) ** -0.5;
  for (let i = 0; i < 80_000; i++) {
    const wanted = a * (kept[i] ? inputs[i] : -1.7580993408473766) + a * 0.3 * 1.7580993408473766;
    if (Math.abs(values[i] - wanted) > 1e-6 * (1 + Math.abs(wanted)))
      expect(values[i]).toBe(wanted);
  }
  const channels = await feature
    .train()
    .call(ones([3, 4, 5]))
    .data();
  for (let i = 0; i < 60; i++) expect(channels[i]).toBe(channels[5 * Math.floor(i / 5)]);
  expect(new Set(channels).size).toBe(2);
});

test("rrelu draws a slope of each element, anew in each call of a compiled function", async () => {
  using layer = new RReLU(0.25, 0.75, { seed: 7 }).train();
  const run = compile((x: Tensor) => layer.call(x));
  const x = randomNormal([64], { seed: 1 });
  const inputs = await x.data();
  for (const step of [0, 1]) {
    using y = await run(x);
    const bits = randomBits(foldIn(keyFromSeed(7), step), 64);
    for (const [i, value] of (await y.data()).entries()) {
      const slope = 0.25 + 0.5 * uniformFromBits(bits[i]);
      expect(value).toBeCloseTo(inputs[i] > 0 ? inputs[i] : slope * inputs[i], 6);
    }
  }
  expect(run.plans).toHaveLength(1);
  expect(await layer.step.item()).toBe(2);
  layer.eval();
  const rest = await layer.call(x).data();
  for (const [i, v] of inputs.entries()) expect(rest[i]).toBeCloseTo(v > 0 ? v : v / 2, 6);
  expect(() => new RReLU(1, 0)).toThrow("RReLU: lower 1, upper 0; expected lower ≤ upper");
  expect(() => new AlphaDropout(1)).toThrow("AlphaDropout: rate 1; expected a number from 0");
  expect(() => new Unfold(2, { stride: 0 })).toThrow(
    "Unfold: stride 0 for axes [0, 1]; expected an integer from 1, or one for each",
  );
  expect(() => new Fold([4, 0], 2)).toThrow(
    "Fold: outputSize [4,0] for axes [0, 1]; expected an integer from 1, or one for each",
  );
  run.dispose();
});

test("a compiled function draws a new mask in each call, those of eager calls", async () => {
  using dropout = new Dropout(0.5, { seed: 11 }).train();
  const run = compile((x: Tensor) => dropout.call(x));
  const x = ones([16]);
  for (const step of [0, 1, 2]) {
    using y = await run(x);
    const kept = stays(11, step, 16, 0.5);
    expect([...(await y.data())]).toEqual(kept.map((stay) => (stay ? 2 : 0)));
  }
  expect(run.plans).toHaveLength(1);
  expect(await dropout.step.item()).toBe(3);
  run.dispose();
});

function setup() {
  const model = new Sequential({
    dropout: new Dropout(0.5, { seed: 2 }),
    hidden: new Linear(3, 16, { seed: 1 }),
    relu,
    output: new Linear(16, 1, { seed: 3 }),
  });
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 2], { shape: [4, 3] });
  const loss = (net: Module, batch: Tensor) => mean(square(sub(net.call(batch), 1)));
  const dispose = () => {
    for (const part of [model, optimizer, x]) part.dispose();
  };
  return { model, optimizer, x, loss, dispose };
}

function partsOf({ model, optimizer, loss }: ReturnType<typeof setup>) {
  return { model, optimizer, loss };
}

test("trainStep drops, gives the mode back, and goes the way of eager steps", async () => {
  const a = setup();
  const b = setup();
  const step = trainStep(partsOf(a));
  const eager: number[] = [];
  b.model.train();
  for (let i = 0; i < 5; i++) {
    await step(a.x);
    const loss = b.loss(b.model, b.x);
    b.optimizer.step(loss);
    eager.push(await loss.item());
  }
  const losses = (await step.read()).map((record) => record.loss);
  for (const [i, loss] of losses.entries()) expect(loss).toBeCloseTo(eager[i], 4);
  expect(a.model.modules().map((part) => part.training)).toEqual([false, false, false, false]);
  const [states, others] = [a.model.state(), b.model.state()];
  expect(await states.get("dropout.step")?.item()).toBe(5);
  expect(await others.get("dropout.step")?.item()).toBe(5);
  // the first loss is that of the first mask, not that without one
  using whole = b.loss(b.model.eval(), b.x);
  expect(await whole.item()).not.toBeCloseTo(eager[4], 3);
  step.dispose();
  a.dispose();
  b.dispose();
});

test("a checkpoint goes on with the same masks, bit for bit", async () => {
  const a = setup();
  const step = trainStep(partsOf(a));
  for (let i = 0; i < 3; i++) await step(a.x);
  const bytes = await saveSafetensors(a.model);
  const slots = await saveSafetensors(a.optimizer);
  for (let i = 0; i < 3; i++) await step(a.x);
  const b = setup();
  loadState(b.model, bytes);
  loadState(b.optimizer, slots);
  const resumed = trainStep(partsOf(b));
  for (let i = 0; i < 3; i++) await resumed(b.x);
  const losses = (await step.read()).map(({ loss }) => loss);
  expect((await resumed.read()).map(({ loss }) => loss)).toEqual(losses.slice(3));
  for (const [name, state] of a.model.state()) {
    expect(await b.model.state().get(name)?.data()).toEqual(await state.data());
  }
  for (const part of [step, resumed, a, b]) part.dispose();
});

test("steps hold no more memory from one to the next", async () => {
  const { model, x, loss, optimizer, dispose } = setup();
  const step = trainStep({ model, optimizer, loss });
  const seen: number[] = [];
  for (let i = 0; i < 30; i++) {
    await step(x);
    if (i % 10 === 9) {
      await step.read();
      seen.push(held(device));
    }
  }
  expect(seen[2]).toBe(seen[0]);
  step.dispose();
  dispose();
});

test("a part in evaluation mode stays so while the rest trains", async () => {
  class Two extends Module {
    readonly backbone = new Sequential(new Dropout(0.5, { seed: 1 }));
    readonly head = new Linear(4, 1, { seed: 2 });
    readonly dropout = new Dropout(0.5, { seed: 3 });
    override forward(x: Tensor): Tensor {
      return this.head.call(this.dropout.call(this.backbone.call(x)));
    }
  }
  const model = new Two().train();
  model.backbone.eval();
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({ model, optimizer, loss: (net, x: Tensor) => mean(net.call(x)) });
  await step(ones([2, 4]));
  const counts = ["backbone.0.step", "dropout.step"].map((name) => model.state().get(name));
  expect(await Promise.all(counts.map((count) => count?.item()))).toEqual([0, 1]);
  for (const part of [step, optimizer, model]) part.dispose();
});

test("loaded counters choose the mask", async () => {
  using a = new Dropout(0.5, { seed: 9 }).train();
  using b = new Dropout(0.5, { seed: 9 }).train();
  evaluate(a.call(ones([8])), a.call(ones([8])));
  loadState(b, a.state());
  using x = matmul(ones([2, 3]), ones([3, 4]));
  expect(await b.call(x).data()).toEqual(await a.call(x).data());
});
