import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  type Device,
  GradusError,
  mean,
  mul,
  ones,
  Parameter,
  randomNormal,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/io/portable.ts";
import { BatchNorm1d, Dropout, Linear, Module, Sequential } from "../../src/nn/index.ts";
import { Adam, clipByValue, OptimizerGroup, SAM, SGD } from "../../src/optim/index.ts";
import { accumulatedStep, trainStep } from "../../src/train/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const dtype = inBrowser ? "f32" : "f64";

/** ∂/∂(a, b) of a⁴ + a²·b₀² + 3·b₁² at some point, a scalar and a vector of two. */
function slopes([a, b, c]: readonly number[]): number[] {
  return [4 * a ** 3 + 2 * a * b ** 2, 2 * a ** 2 * b, 6 * c];
}

/** Steps of gradient descent along second gradients, in plain numbers. */
function descended(
  from: readonly number[],
  rho: number,
  adaptive: boolean,
  rate: number,
  count: number,
) {
  let p = [...from];
  for (let step = 0; step < count; step++) {
    const size = (x: number) => (adaptive ? Math.abs(x) : 1);
    const g = slopes(p);
    const length = Math.hypot(...g.map((x, i) => x * size(p[i]))) + 1e-12;
    const worst = p.map((x, i) => x + (rho * size(x) ** 2 * g[i]) / length);
    const second = slopes(worst);
    p = p.map((x, i) => x - rate * second[i]);
  }
  return p;
}

test.each([
  [0, false],
  [0.05, false],
  [0.3, false],
  [0.5, true],
])("steps are those of the formula: rho %s, adaptive %s", async (rho, adaptive) => {
  const a = new Parameter(tensor(0.8, { dtype }), { name: "a" });
  const b = new Parameter(tensor([-0.6, 0.4], { dtype }), { name: "b" });
  const scale = tensor([0, 3], { dtype });
  const other = tensor([1, 0], { dtype });
  const loss = () => {
    const quartic = mul(square(a), square(a));
    const mixed = mul(square(a), sum(mul(square(b), other)));
    return add(add(quartic, mixed), sum(mul(square(b), scale)));
  };
  const optimizer = new SAM(new SGD([a, b], { learningRate: 0.1 }), { rho, adaptive });
  for (let step = 0; step < 5; step++) optimizer.step(loss(), [], loss);
  const given = [await a.item(), ...(await b.data())].map(Number);
  const expected = descended([0.8, -0.6, 0.4], rho, adaptive, 0.1, 5);
  for (const [i, x] of given.entries()) {
    expect(Math.abs(x - expected[i])).toBeLessThan(inBrowser ? 1e-6 : 1e-14);
  }
});

test("no gradient is no way up, and nothing becomes NaN", async () => {
  using p = new Parameter(tensor([0, 0]));
  using optimizer = new SAM(new SGD([p], { learningRate: 0.1 }));
  const loss = () => sum(square(p));
  optimizer.step(loss(), [], loss);
  expect(await p.toArray()).toEqual([0, 0]);
});

describe("in a training step", () => {
  const net = () =>
    new Sequential(
      new Linear(4, 8, { seed: 1 }),
      new BatchNorm1d(8),
      new Dropout(0.25, { seed: 2 }),
      new Linear(8, 2, { seed: 3 }),
    );
  interface Pair {
    x: Tensor;
    y: Tensor;
  }
  const loss = (m: Sequential, { x, y }: Pair) => mean(square(sub(m.call(x), y)));
  const batch = () => ({
    x: randomNormal([16, 4], { seed: 4 }),
    y: randomNormal([16, 2], { seed: 5 }),
  });

  test("the loss falls, other states change once, and a step makes nothing new", async () => {
    using model = net();
    const optimizer = new SAM(new Adam(model.parameters(), { learningRate: 0.02 }), { rho: 0.1 });
    const step = trainStep({ model, optimizer, loss, mirrorEvery: null });
    const given = batch();
    for (let i = 0; i < 5; i++) await step(given);
    const [mark, before] = [device.counters.now, held(device)];
    for (let i = 0; i < 25; i++) await step(given);
    const { buffers, pipelines, writes } = device.counters.since(mark);
    expect([buffers, pipelines, writes]).toEqual([0, 0, 0]);
    expect(held(device)).toBe(before);
    const losses = (await step.read()).map((record) => record.loss);
    expect(losses[29]).toBeLessThan(0.7 * losses[0]);
    const states = model.state();
    expect(await states.get("1.numBatchesTracked")?.item()).toBe(30);
    expect(await states.get("2.step")?.item()).toBe(30);
    expect(await optimizer.state().get("step")?.item()).toBe(30);
    step.dispose();
    optimizer.dispose();
  });

  /** A model that weighs and drops its input, twice by one layer. */
  const masked = (size: number) => {
    const w = new Parameter(tensor(Array.from({ length: size }, () => 1)), { name: "w" });
    class Masked extends Module {
      w = w;
      drop = new Dropout(0.5, { seed: 7 });
      override forward(x: Tensor): Tensor {
        return this.drop.call(this.drop.call(mul(x, square(this.w))));
      }
    }
    return { w, model: new Masked() };
  };
  const size = 64;

  test.each(["compiled", "eager"])("both gradients drop the same elements, %s", async (way) => {
    const { w, model } = masked(size);
    const drop = model.drop.step;
    using reference = masked(size).model.train();
    const optimizer = new SAM(new SGD([w], { learningRate: 0.25 }), { rho: 0.5 });
    const x = ones([size]);
    const lossOf = (m: Module, given: { x: Tensor }) => sum(m.call(given.x));
    const step = trainStep({ model: model.train(), optimizer, loss: lossOf });
    for (let i = 0; i < 3; i++) {
      const start = (await drop.item()) as number;
      const before = [...(await w.data())];
      // Eager, the gradients are those after the pass whose loss is reported.
      const isEager = way === "eager";
      reference.drop.step.assign(tensor(start + (isEager ? 2 : 0), { dtype: "u32" }));
      reference.w.assign(tensor(before as number[]));
      const mask = [...(await reference.call(x).data())].map(Number);
      const loss = () => lossOf(model, { x });
      if (isEager) optimizer.step(loss(), [], loss);
      else await step({ x });
      expect(await drop.item()).toBe(start + 2);
      // g = 2·w·4 where both masks keep an element, else 0; ε = ρ·g / ‖g‖; w ← w − g(w + ε) / 4
      const kept = mask.map((y) => (y === 0 ? 0 : 4));
      const g = kept.map((k, j) => 2 * k * (before[j] as number));
      const length = Math.hypot(...g);
      const after = [...(await w.data())].map(Number);
      for (const [j, y] of after.entries()) {
        const p = before[j] as number;
        const expected = p - (2 * kept[j] * (p + (0.5 * g[j]) / length)) / 4;
        expect(Math.abs(y - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      }
      expect(kept.filter((k) => k === 4).length).toBeGreaterThan(4);
      expect(kept.filter((k) => k === 0).length).toBeGreaterThan(4);
    }
    step.dispose();
  });

  test("rho 0 takes the steps of the optimizer itself", async () => {
    const run = async (isWrapped: boolean) => {
      using model = new Linear(4, 2, { seed: 1 });
      const own = new SGD(model.parameters(), {
        learningRate: 0.1,
        clip: (g) => clipByValue(g, 0.1),
      });
      const optimizer = isWrapped ? new SAM(new OptimizerGroup([own]), { rho: 0 }) : own;
      const step = trainStep({
        model,
        optimizer,
        loss: (m: Linear, { x, y }: Pair) => mean(square(sub(m.call(x), y))),
      });
      for (let i = 0; i < 4; i++) await step(batch());
      step.dispose();
      return [...(await model.weight.data())];
    };
    const [own, wrapped] = [await run(false), await run(true)];
    for (const [i, w] of own.entries()) expect(wrapped[i]).toBeCloseTo(w as number, 6);
  });

  test("gradients that are summed first are refused", async () => {
    using model = net();
    const optimizer = new SAM(new SGD(model.parameters(), { learningRate: 0.1 }));
    const step = accumulatedStep({ model, optimizer, loss, accumulate: 2 });
    const message =
      "SAM(SGD): apply with gradients; expected step(loss, also, again), whose loss is computed a " +
      "second time. Use trainStep, or the optimizer in it";
    await expect(
      (async () => {
        for (let i = 0; i < 2; i++) await step(batch());
      })(),
    ).rejects.toThrow(new GradusError(message));
    expect(() => optimizer.assignments([])).toThrow(new GradusError(message));
  });
});

test("refuses what is no optimizer, no function and out of range", () => {
  const p = new Parameter(tensor([1]));
  const sgd = new SGD([p], { learningRate: 0.1 });
  const refused = (fn: () => unknown, message: string) =>
    expect(fn).toThrow(new GradusError(message));
  refused(
    () => new SAM([p] as never),
    "SAM: optimizer an array; expected an optimizer, such as new SGD(parameters, { … })",
  );
  refused(() => new SAM(sgd, { rho: -1 }), "SAM: rho -1; expected a finite number from 0");
  refused(() => new SAM(sgd).step(sum(p)), "SAM: again is undefined; expected a function");
  expect(new SAM(sgd).kind).toBe("SAM(SGD)");
});

test("its rate is the optimizer's, also in checkpoints", async () => {
  const make = () => {
    const model = new Linear(2, 1, { seed: 1 });
    const sgd = new SGD([model.weight], { learningRate: 0.1 });
    const adam = new Adam([model.bias as Parameter], { learningRate: 0.2 });
    return { model, sgd, optimizer: new SAM(new OptimizerGroup([sgd, adam])) };
  };
  const [from, to] = [make(), make()];
  from.sgd.learningRate = 0.2;
  expect(from.optimizer.learningRate).toBe(0.2);
  from.optimizer.learningRate = 0.5;
  expect(from.sgd.learningRate).toBe(0.5);
  from.sgd.learningRate = 0.25;
  loadCheckpoint(to, await saveCheckpoint(from));
  expect(to.sgd.learningRate).toBe(0.25);
  expect(to.optimizer.optimizer.members[1].learningRate).toBe(0.5);
});
