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
  relu,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import { Dropout, Linear, loadState, Module, Sequential } from "../../src/nn/index.ts";
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
