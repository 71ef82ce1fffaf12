import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Device, explain, init, randomNormal, type Tensor, tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, Sequential, Tanh } from "../../src/nn/index.ts";
import { GeneticAlgorithm, lossPerIndividual } from "../../src/train/index.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "webgpu", tune: "off" })).device;
});
afterAll(() => {
  vi.useRealTimers();
  device.dispose();
});

interface Examples {
  readonly x: Tensor;
  readonly labels: Tensor;
}

test("a steady generation creates, uploads and reads nothing, and shares its submit", async () => {
  const model = new Sequential(
    new Linear(4, 16, { seed: 1 }),
    new Tanh(),
    new Linear(16, 3, { seed: 2 }),
  );
  const search = new GeneticAlgorithm({
    model,
    loss: (net, { x, labels }: Examples) => lossPerIndividual(crossEntropy, net.call(x), labels),
    populationSize: 40,
    stepsPerSubmit: 5,
  });
  const batch = {
    x: randomNormal([30, 4], { seed: 3 }),
    labels: tensor(Int32Array.from({ length: 30 }, (_, i) => i % 3)),
  };
  const plan = await search.prepare(batch);
  const { dispatches } = await plan.stats();
  expect(dispatches, await explain(plan)).toBeLessThanOrEqual(8);
  // Steps that wait are submitted when the page gets its turn, as it does now and then: not here.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  for (let i = 0; i < 5; i++) await search.step(batch);
  await search.losses.data();
  const mark = device.counters.now;
  for (let i = 0; i < 20; i++) await search.step(batch);
  expect(device.counters.since(mark)).toEqual({
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    writes: 0,
    reads: 0,
    dispatches: 20 * dispatches,
    submits: 4,
  });
  const losses = [...(await search.losses.data())];
  expect(losses).toEqual([...losses].sort((a, b) => a - b));
});
