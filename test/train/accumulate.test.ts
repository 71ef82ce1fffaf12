import { beforeAll, expect, test } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { DataLoader } from "../../src/data/index.ts";
import { Parameter, sum, type Tensor, tensor } from "../../src/index.ts";
import { accuracy } from "../../src/metrics/index.ts";
import type { Module } from "../../src/nn/index.ts";
import { clipByGlobalNorm, SGD, WeightAverage } from "../../src/optim/index.ts";
import { accumulatedStep, trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { bitsOf, smallData, smallLoss, smallRun } from "../support/small-run.ts";

beforeAll(() => testDevice());

const weightsOf = async (model: Module) => {
  const values = await Promise.all(model.parameters().map((p) => p.data()));
  return values.flatMap((x) => Array.from(x));
};

/** Steps on whole batches of 12, and on their parts. */
async function compare(accumulate: number, useBatchAt: boolean): Promise<void> {
  // Masks of parts would be others than those of the whole.
  const make = () => {
    const { loader: _, ...run } = smallRun(undefined, 5, 0);
    return run;
  };
  const [whole, parts] = [make(), make()];
  const dataset = smallData(24);
  const all = new DataLoader({ dataset, batchSize: 12, seed: 4 });
  const some = new DataLoader({ dataset, batchSize: 12 / accumulate, seed: 4 });
  const expected = trainStep<Module, Batch>({ ...whole, batchAt: all.batchAt });
  for (let i = 0; i < 6; i++) await expected();
  const batchAt = useBatchAt ? some.batchAt : undefined;
  const step = accumulatedStep<Module, Batch>({ ...parts, accumulate, batchAt });
  for (let epoch = 0; epoch < 3; epoch++) {
    for await (using batch of some.epoch(epoch)) await step(useBatchAt ? undefined : batch);
  }
  expect(step.next).toBe(6 * accumulate);
  expect(await parts.optimizer.counter.item()).toBe(6);
  const [a, b] = [await weightsOf(parts.model), await weightsOf(whole.model)];
  for (const [i, x] of a.entries()) expect(Math.abs(x - b[i])).toBeLessThan(2e-6);
  const losses = (await step.read()).map(({ loss }) => loss);
  for (const { step: i, loss } of await expected.read()) {
    const own = losses.slice(i * accumulate, (i + 1) * accumulate);
    expect(own.reduce((x, y) => x + y) / accumulate).toBeCloseTo(loss, 5);
  }
  expect(step.plans).toHaveLength(Math.min(accumulate, 3));
  step.dispose();
  expected.dispose();
}

test("parts of a batch give the step on the whole, from the step's own counter", async () => {
  await compare(3, true);
});

test("parts of a batch give the step on the whole, as they are given", async () => {
  await compare(2, false);
});

test("the weights change at every k-th batch only, by the mean of clipped gradients", async () => {
  const { model } = smallRun();
  const [weight] = model.parameters();
  const optimizer = new SGD([weight], {
    learningRate: 1,
    clip: (gradients) => clipByGlobalNorm(gradients, 0.5).gradients,
  });
  // The gradient of Σ w · c is c, the mean of c = 1 and 3 is 2, and its norm over 42 places 2√42.
  const loss = (_: Module, c: Tensor) => weight.mul(c).sum();
  const step = accumulatedStep<Module, Tensor>({ model, optimizer, loss, accumulate: 2 });
  const before = Array.from(await weight.data());
  await step(tensor(1));
  expect(Array.from(await weight.data())).toEqual(before);
  await step(tensor(3));
  const after = Array.from(await weight.data());
  for (const [i, x] of after.entries()) expect(before[i] - x).toBeCloseTo(0.5 / Math.sqrt(42), 6);
});

test("calls need not wait for one another, and what follows a change follows changes only", async () => {
  const { loader, ...run } = smallRun();
  const { batchAt } = loader;
  let traced = 0;
  const step = accumulatedStep<Module, Batch>({
    ...run,
    batchAt,
    accumulate: 3,
    after: () => traced++,
    metrics: { accuracy: (net, { images, labels }) => accuracy(net.call(images), labels) },
  });
  await step.prepare();
  expect([step.plans.length, step.next]).toEqual([3, 0]);
  await Promise.all(Array.from({ length: 6 }, () => step()));
  expect((await step.profile()).kernels.length).toBeGreaterThan(0);
  expect(step.next).toBe(7);
  expect(await run.optimizer.counter.item()).toBe(2);
  expect(traced).toBe(1);
  const records = await step.read();
  expect(records).toHaveLength(7);
  expect(records.every((record) => record.accuracy >= 0 && record.accuracy <= 1)).toBe(true);
});

test("an average of weights follows each step in its plan", async () => {
  const { loader, ...run } = smallRun();
  const average = new WeightAverage(run.model.parameters(), { decay: 0.5 });
  const { batchAt } = loader;
  const step = trainStep<Module, Batch>({ ...run, batchAt, after: () => average.update() });
  const [weight] = run.model.parameters();
  let expected = Array.from(await weight.data());
  for (let i = 0; i < 3; i++) {
    await step();
    const values = await weight.data();
    expected = expected.map((x, k) => x + (values[k] - x) / 2);
  }
  const averages = await average.averages[0].data();
  for (const [k, x] of expected.entries()) expect(averages[k]).toBeCloseTo(x, 6);
  expect(step.plans).toHaveLength(1);
});

test("one batch a change is a plain step", async () => {
  await compare(1, true);
});

test("a step sought goes on among the batches of a change", async () => {
  const [one, two] = [smallRun(0.1), smallRun(0.1)];
  const make = ({ loader: { batchAt }, ...run }: typeof one) =>
    accumulatedStep<Module, Batch>({ ...run, batchAt, accumulate: 3 });
  const step = make(one);
  for (let i = 0; i < 12; i++) await step();
  const again = make(two);
  for (let i = 0; i < 4; i++) await again();
  again.seek(2); // two batches of the first change are counted as made
  again.seek(4);
  for (let i = 4; i < 12; i++) await again();
  expect(await bitsOf(two)).toEqual(await bitsOf(one));
});

test("a flush that fails leaves what is pending to the next", async () => {
  const { loader: _, ...run } = smallRun(0.5);
  let fails = true;
  const after = () => {
    if (fails) throw new Error("after");
  };
  const step = accumulatedStep<Module, Batch>({ ...run, accumulate: 3, after });
  const batch = await smallData(4).batch(Uint32Array.of(0, 1));
  await step(batch);
  await step(batch);
  const before = await weightsOf(run.model);
  await expect(step.flush()).rejects.toThrow("after");
  expect([step.next, step.pending]).toEqual([2, 2]);
  expect(await weightsOf(run.model)).toEqual(before);
  fails = false;
  await step.flush();
  expect([step.next, step.pending, await run.optimizer.counter.item()]).toEqual([2, 0, 1]);
  expect(await weightsOf(run.model)).not.toEqual(before);
  await step(batch);
  expect([step.next, step.pending]).toEqual([3, 1]);
});

test("batches and a flush from before replaceModel change the old model", async () => {
  const run = async (isEarly: boolean) => {
    const [{ model, optimizer, loss }, other] = [smallRun(0.1), smallRun(0.1)];
    const step = accumulatedStep<Module, Batch>({ model, optimizer, loss, accumulate: 3 });
    using batch = smallData(12).batch(Uint32Array.of(0, 1));
    const before = await weightsOf(model);
    const calls = [step(batch), step(batch), step.flush()];
    if (!isEarly) await Promise.all(calls);
    step.replaceModel(other.model, other.optimizer);
    await Promise.all(calls);
    const [weights, others] = [await weightsOf(model), await weightsOf(other.model)];
    expect(others).toEqual(before);
    expect(weights).not.toEqual(before);
    step.dispose();
    return weights;
  };
  expect(await run(false)).toEqual(await run(true));
});

test("a batch that waits for a flush that fails fails with it", async () => {
  const { loader: _, ...run } = smallRun(0.5);
  const after = () => {
    throw new Error("after");
  };
  const step = accumulatedStep<Module, Batch>({ ...run, accumulate: 3, after });
  const batch = await smallData(4).batch(Uint32Array.of(0, 1));
  await step(batch);
  const flush = step.flush();
  const next = step(batch);
  await expect(flush).rejects.toThrow("after");
  await expect(next).rejects.toThrow("after");
  expect([step.next, step.pending]).toEqual([1, 1]);
});

test("sums are named by their parameters, which may share a name", async () => {
  const { model, loss } = smallRun();
  const parameters = ["w", "b", "w"].map((name) => new Parameter(tensor(1), { name }));
  const optimizer = new SGD(parameters, { learningRate: 1 });
  const step = accumulatedStep({ model, optimizer, loss, accumulate: 2 });
  expect([...step.state().keys()]).toEqual(["w.0.sum", "b.sum", "w.2.sum"]);
  step.dispose();
});

test("plans are built for the places that there are", async () => {
  const batch = await smallData(4).batch(Uint32Array.of(0, 1));
  for (const accumulate of [1, 2, 3, 4]) {
    const { loader: _, ...run } = smallRun();
    const step = accumulatedStep<Module, Batch>({ ...run, accumulate });
    const last = await step.prepare(batch);
    expect(step.plans).toHaveLength(Math.min(accumulate, 3));
    expect(step.plans.at(-1)).toBe(last);
    for (let i = 0; i < accumulate; i++) await step(batch);
    expect(step.plans).toHaveLength(Math.min(accumulate, 3));
    step.dispose();
  }
});

test("mistakes are told", async () => {
  const { loader: _, ...run } = smallRun();
  for (const accumulate of [0, 1.5]) {
    expect(() => accumulatedStep({ ...run, accumulate })).toThrow(
      `accumulatedStep: accumulate ${accumulate}; expected an integer from 1`,
    );
  }
  const step = accumulatedStep({ ...run, loss: smallLoss, accumulate: 2 });
  await expect(step()).rejects.toThrow(
    "accumulatedStep: no batch; expected one, or the option batchAt",
  );
  expect(step.next).toBe(0);
  const odd = { images: Symbol("x") } as unknown as Batch;
  await expect(step(odd)).rejects.toThrow("accumulatedStep: batch.images is Symbol(x); expected");
  for (const accumulate of [1, 2]) {
    const apart = accumulatedStep({
      ...run,
      loss: (_: Module, { images }: Batch) => sum(images),
      accumulate,
    });
    await expect(apart(await smallData(4).batch(Uint32Array.of(0, 1)))).rejects.toThrow(
      'Adam: loss does not depend on "',
    );
  }
});
