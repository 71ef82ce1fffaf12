import { beforeAll, expect, test } from "vitest";
import {
  add,
  compile,
  type Device,
  div,
  GradusError,
  Parameter,
  sum,
  tensor,
} from "../src/index.ts";
import {
  constant,
  cosineDecay,
  exponentialDecay,
  linearWarmup,
  type Schedule,
  SGD,
  stepDecay,
} from "../src/optim/index.ts";
import { testDevice } from "./support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** Expects a schedule's rates at steps, within 1e-6 of the largest and, on the CPU, 1e-12. */
async function expectRates(schedule: Schedule, points: Record<number, number>): Promise<void> {
  const largest = Math.max(...Object.values(points));
  for (const dtype of device.dtypes.has("f64") ? (["f64", "f32"] as const) : (["f32"] as const)) {
    for (const [step, expected] of Object.entries(points)) {
      const rate = schedule(tensor(Number(step), { dtype }));
      expect([rate.shape, rate.dtype]).toEqual([[], dtype]);
      const error = Math.abs((await rate.item()) - expected) / largest;
      expect(error, `${dtype} at step ${step}`).toBeLessThanOrEqual(dtype === "f64" ? 1e-12 : 1e-6);
    }
  }
}

test("constant keeps its rate", async () => {
  await expectRates(constant(0.3), { 0: 0.3, 1: 0.3, 1000000: 0.3 });
});

test("exponentialDecay falls by its factor in decaySteps", async () => {
  const schedule = exponentialDecay(0.8, { decaySteps: 20, decayRate: 0.25 });
  await expectRates(schedule, { 0: 0.8, 10: 0.4, 20: 0.2, 40: 0.05, 60: 0.0125, 4000: 0 });
  await expectRates(exponentialDecay(1, { decaySteps: 2, decayRate: 2 }), { 1: Math.SQRT2, 6: 8 });
});

test("stepDecay falls at whole multiples and nowhere else", async () => {
  const schedule = stepDecay(0.8, { every: 3, factor: 0.5 });
  await expectRates(schedule, { 0: 0.8, 1: 0.8, 2: 0.8, 3: 0.4, 5: 0.4, 6: 0.2, 8: 0.2, 9: 0.1 });
  for (const every of [1, 7, 41, 49, 600, 999_983]) {
    const at = stepDecay(1, { every, factor: 0.5 });
    await expectRates(at, {
      [every - 1]: 1,
      [every]: 0.5,
      [3 * every - 1]: 0.25,
      [3 * every]: 0.125,
    });
  }
});

test("cosineDecay goes from its first to its final rate and stays there", async () => {
  const half = Math.SQRT1_2 / 2;
  const points = { 0: 1, 25: 0.5 + half, 50: 0.5, 75: 0.5 - half, 100: 0, 101: 0, 5000: 0 };
  await expectRates(cosineDecay(1, { steps: 100 }), points);
  const raised = Object.entries(points).map(([step, rate]) => [step, 0.2 + 0.4 * rate]);
  await expectRates(cosineDecay(0.6, { steps: 100, finalRate: 0.2 }), Object.fromEntries(raised));
});

test("linearWarmup rises to where the schedule behind it begins", async () => {
  await expectRates(linearWarmup(constant(2), { steps: 4 }), { 0: 0, 1: 0.5, 2: 1, 4: 2, 9: 2 });
  const schedule = linearWarmup(cosineDecay(1, { steps: 10 }), { steps: 5, initialRate: 0.5 });
  await expectRates(schedule, { 0: 0.5, 1: 0.6, 4: 0.9, 5: 1, 10: 0.5, 15: 0, 20: 0 });
  const nested = linearWarmup(linearWarmup(constant(1), { steps: 2, initialRate: 0.5 }), {
    steps: 2,
  });
  await expectRates(nested, { 0: 0, 1: 0.25, 2: 0.5, 3: 0.75, 4: 1, 5: 1 });
});

test.each(["f32", "f64"] as const)("an optimizer follows its schedule in %s", async (dtype) => {
  const on = dtype === "f64" && !device.dtypes.has("f64") ? "f32" : dtype;
  using p = new Parameter(tensor([0], { dtype: on }), { name: "p" });
  const schedule = linearWarmup(stepDecay(1, { every: 2, factor: 0.5 }), { steps: 2 });
  using optimizer = new SGD([p], { learningRate: schedule });
  expect(optimizer.learningRate).toBe(schedule);
  using g = tensor([-1], { dtype: on });
  let expected = 0;
  for (const rate of [0, 0.5, 1, 1, 0.5, 0.5, 0.25]) {
    expect(await optimizer.rate.item()).toBe(rate);
    optimizer.apply([g]);
    expected += rate;
    expect(await p.item()).toBe(expected);
  }
});

test("a step with a schedule of one's own needs nothing new from the host", async () => {
  using p = new Parameter(tensor([0]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: (step) => div(1, add(step, 1)), momentum: 0.5 });
  const step = compile(() => optimizer.step(sum(p)));
  for (let i = 0; i < 3; i++) await step();
  const mark = device.counters.now;
  for (let i = 0; i < 3; i++) await step();
  const { dispatches: _, submits: __, ...made } = device.counters.since(mark);
  expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
  expect(await optimizer.rate.item()).toBeCloseTo(1 / 7, 6);
});

test("wrong schedules are rejected", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: constant(1) });
  const make = (learningRate: Schedule) => () => new SGD([p], { learningRate });
  const expected = `expected a scalar as the step is: Tensor([], f32, ${device.kind})`;
  const rejected: [() => unknown, string][] = [
    [
      () => {
        optimizer.learningRate = 0.1;
      },
      "optimizer: learningRate 0.1 over a schedule; expected an optimizer made with a number",
    ],
    [
      make(() => tensor([1, 2])),
      `optimizer: learningRate gives Tensor([2], f32, ${device.kind}); ${expected}`,
    ],
    [
      make(() => tensor(1, { dtype: "i32" })),
      `optimizer: learningRate gives Tensor([], i32, ${device.kind}); ${expected}`,
    ],
    [make((() => 0.1) as unknown as Schedule), `optimizer: learningRate gives 0.1; ${expected}`],
    [() => constant(-1), "constant: rate -1; expected a finite number from 0"],
    [
      () => exponentialDecay(1, { decaySteps: 0, decayRate: 1 }),
      "exponentialDecay: decaySteps 0; expected an integer from 1",
    ],
    [
      () => exponentialDecay(1, { decaySteps: 1, decayRate: 0 }),
      "exponentialDecay: decayRate 0; expected a finite number above 0",
    ],
    [
      () => stepDecay(1, { every: 1.5, factor: 0.1 }),
      "stepDecay: every 1.5; expected an integer from 1",
    ],
    [
      () => stepDecay(1, { every: 1, factor: -1 }),
      "stepDecay: factor -1; expected a finite number above 0",
    ],
    [
      () => cosineDecay(1, { steps: Number.NaN }),
      "cosineDecay: steps NaN; expected an integer from 1",
    ],
    [
      () => cosineDecay(1, { steps: 1, finalRate: -1 }),
      "cosineDecay: finalRate -1; expected a finite number from 0",
    ],
    [
      () => linearWarmup(constant(1), { steps: 0 }),
      "linearWarmup: steps 0; expected an integer from 1",
    ],
    [
      () => linearWarmup(constant(1), { steps: 1, initialRate: -1 }),
      "linearWarmup: initialRate -1; expected a finite number from 0",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});
