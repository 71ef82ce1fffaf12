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
} from "../../src/index.ts";
import {
  type CyclicMode,
  constantRate,
  cosineDecay,
  cosineRestarts,
  cyclic,
  exponentialDecay,
  inverseTimeDecay,
  joinSchedules,
  linearWarmup,
  multiStepDecay,
  OptimizerGroup,
  oneCycle,
  type PlateauState,
  piecewiseConstant,
  polynomialDecay,
  ReduceOnPlateau,
  type ReduceOnPlateauOptions,
  type Schedule,
  SGD,
  stepDecay,
} from "../../src/optim/index.ts";
import { testDevice } from "../support/device.ts";

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

test("constantRate keeps its rate", async () => {
  await expectRates(constantRate(0.3), { 0: 0.3, 1: 0.3, 1000000: 0.3 });
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

test("inverseTimeDecay divides by what grows evenly", async () => {
  const schedule = inverseTimeDecay(0.6, { decaySteps: 10, decayRate: 0.5 });
  await expectRates(schedule, {
    0: 0.6,
    10: 0.4,
    20: 0.3,
    40: 0.2,
    100: 0.1,
    1000000: 0.6 / 50001,
  });
});

test("polynomialDecay reaches its final rate exactly and stays there", async () => {
  const line = polynomialDecay(1, { steps: 10, finalRate: 0.5 });
  await expectRates(line, { 0: 1, 1: 0.95, 9: 0.55, 10: 0.5, 11: 0.5, 1000000: 0.5 });
  await expectRates(polynomialDecay(2, { steps: 10, power: 2 }), { 0: 2, 1: 1.62, 5: 0.5, 10: 0 });
  await expectRates(polynomialDecay(0.1, { steps: 4, finalRate: 0.5 }), { 0: 0.1, 1: 0.2, 9: 0.5 });
  for (const steps of [1, 3, 7, 41, 49, 999_983, 1_000_000]) {
    const root = polynomialDecay(1, { steps, power: 0.25 });
    await expectRates(root, { [steps - 1]: (1 / steps) ** 0.25, [steps]: 0, [steps + 1]: 0 });
  }
});

test("piecewiseConstant and multiStepDecay change at their boundaries and nowhere else", async () => {
  const pieces = piecewiseConstant([0.5, 0.1, 0.4], [3, 1_000_000]);
  await expectRates(pieces, { 0: 0.5, 2: 0.5, 3: 0.1, 4: 0.1, 999999: 0.1, 1000000: 0.4 });
  await expectRates(piecewiseConstant([0.5], []), { 0: 0.5, 9: 0.5 });
  const drops = multiStepDecay(0.8, { milestones: [2, 3, 999_983], factor: 0.5 });
  await expectRates(drops, { 0: 0.8, 1: 0.8, 2: 0.4, 3: 0.2, 999982: 0.2, 999983: 0.1 });
  await expectRates(multiStepDecay(1, { milestones: [1] }), { 0: 1, 1: 0.1 });
});

test("joinSchedules lets each schedule count its own steps", async () => {
  const line = polynomialDecay(1, { steps: 4 });
  const halving = { decaySteps: 1, decayRate: 0.5 };
  const joined = joinSchedules([constantRate(0.5), line, exponentialDecay(8, halving)], [2, 5]);
  await expectRates(joined, { 0: 0.5, 1: 0.5, 2: 1, 3: 0.75, 4: 0.5, 5: 8, 6: 4, 8: 1 });
});

/** Where step t lies among cycles, by counting them. */
function cycleAt(t: number, steps: number, lengthening: number): [number, number] {
  let [start, length, cycle] = [0, steps, 0];
  while (t >= start + length) {
    start += length;
    length *= lengthening;
    cycle++;
  }
  return [cycle, (t - start) / length];
}

test.each([
  [10, 1, 1],
  [7, 1, 0.5],
  [41, 1, 1],
  [999, 1, 1],
  [1, 2, 1],
  [10, 2, 0.8],
  [49, 3, 1],
])("cosineRestarts starts anew exactly: first %d steps, × %d, rate × %d", async (...given) => {
  const [steps, lengthening, factor] = given;
  const schedule = cosineRestarts(1, { steps, lengthening, factor, finalRate: 0.1 });
  const starts = [0, steps, steps + steps * lengthening];
  let last = starts[2];
  while (last < 900_000) last = lengthening > 1 ? (last + steps) * lengthening : last + 997 * steps;
  const at = [...starts, last].flatMap((t) => [t - 1, t, t + 1, t + 3]).filter((t) => t >= 0);
  const rates = at.map((t) => {
    const [cycle, done] = cycleAt(t, steps, lengthening);
    return [t, 0.1 + 0.5 * (factor ** cycle - 0.1) * (1 + Math.cos(Math.PI * done))];
  });
  await expectRates(schedule, Object.fromEntries(rates));
});

test("oneCycle rises to the largest rate and falls far below the first", async () => {
  const schedule = oneCycle(1, { steps: 100, warmup: 0.31 });
  const between = (a: number, b: number, x: number) =>
    b + ((a - b) * (1 + Math.cos(Math.PI * x))) / 2;
  await expectRates(schedule, {
    0: 0.04,
    15: 0.52,
    29: between(0.04, 1, 29 / 30),
    30: 1,
    31: between(1, 4e-6, 1 / 69),
    98: between(1, 4e-6, 68 / 69),
    99: 4e-6,
    100: 4e-6,
    100000: 4e-6,
  });
  const long = oneCycle(0.5, { steps: 1_000_000, initialDivisor: 5, finalDivisor: 10 });
  await expectRates(long, { 0: 0.1, 299999: 0.5, 999999: 0.01, 1000001: 0.01 });
});

test("oneCycle goes along lines where it is told to", async () => {
  const schedule = oneCycle(1, { steps: 100, warmup: 0.31, shape: "linear" });
  await expectRates(schedule, {
    0: 0.04,
    15: 0.52,
    30: 1,
    53: 1 - (23 / 69) * (1 - 4e-6),
    99: 4e-6,
  });
});

test.each<[CyclicMode, (cycle: number, t: number) => number]>([
  ["triangular", () => 1],
  ["triangular2", (cycle) => 0.5 ** cycle],
  ["exponential", (_, t) => 0.9 ** t],
])("cyclic rises and falls again and again: %s", async (mode, height) => {
  const schedule = cyclic(0.1, 1.1, { stepsUp: 4, stepsDown: 8, mode, gamma: 0.9 });
  const rates = [0, 1, 4, 5, 8, 11, 12, 13, 16, 20, 24, 40].map((t) => {
    const [cycle, passed] = [Math.floor(t / 12), t % 12];
    const share = passed <= 4 ? passed / 4 : (12 - passed) / 8;
    return [t, 0.1 + share * height(cycle, t)];
  });
  await expectRates(schedule, Object.fromEntries(rates));
  await expectRates(cyclic(0, 1, { stepsUp: 5 }), { 999995: 1, 1000000: 0, 1000001: 0.2 });
});

/** The rates after each metric. */
function plateauRates(options: ReduceOnPlateauOptions, metrics: readonly number[]): number[] {
  using p = new Parameter(tensor([1]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: 1 });
  const plateau = new ReduceOnPlateau(optimizer, { factor: 0.5, ...options });
  return metrics.map((metric) => {
    const before = optimizer.learningRate as number;
    const isLower = plateau.update(metric);
    const after = optimizer.learningRate as number;
    expect(isLower).toBe(after < before);
    return after;
  });
}

test("ReduceOnPlateau lowers the rate when its patience is over", () => {
  expect(plateauRates({ patience: 1 }, [3, 2, 2, 2, 2, 2])).toEqual([1, 1, 1, 0.5, 0.5, 0.25]);
  expect(plateauRates({ patience: 1 }, [3, 4, 2, 4, 1, 4])).toEqual([1, 1, 1, 1, 1, 1]);
  const upwards = { mode: "max", patience: 0 } as const;
  expect(plateauRates(upwards, [1, 2, 2, 3, 1])).toEqual([1, 1, 0.5, 0.5, 0.25]);
});

test("ReduceOnPlateau rests after a reduction and keeps to the smallest rate", () => {
  const resting = { patience: 0, cooldown: 2 };
  expect(plateauRates(resting, [1, 1, 1, 1, 1, 1])).toEqual([1, 0.5, 0.5, 0.5, 0.25, 0.25]);
  const bounded = { patience: 0, minRate: 0.3 };
  expect(plateauRates(bounded, [1, 1, 1, 1])).toEqual([1, 0.5, 0.3, 0.3]);
  expect(plateauRates({ patience: 0, minRate: 2 }, [1, 1])).toEqual([1, 1]);
});

test("ReduceOnPlateau asks for more than its threshold", () => {
  const relative = { patience: 0, threshold: 0.1 };
  expect(plateauRates(relative, [100, 91, 89, 80.2, 79])).toEqual([1, 0.5, 0.5, 0.25, 0.25]);
  const absolute = { patience: 0, threshold: 1, thresholdMode: "absolute" } as const;
  expect(plateauRates(absolute, [100, 99, 98.5])).toEqual([1, 0.5, 0.5]);
  const upwards = { ...relative, mode: "max" } as const;
  expect(plateauRates(upwards, [10, 10.9, 11.1])).toEqual([1, 0.5, 0.5]);
});

test("ReduceOnPlateau takes NaN and infinity for no better", () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  expect(plateauRates({ patience: 0 }, [nan, infinity, 1, nan])).toEqual([0.5, 0.25, 0.25, 0.125]);
});

test("ReduceOnPlateau lowers all members of a group, and goes on from its state", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using q = new Parameter(tensor([1]), { name: "q" });
  using group = new OptimizerGroup([
    new SGD([p], { learningRate: 1 }),
    new SGD([q], { learningRate: 0.1 }),
  ]);
  const first = new ReduceOnPlateau(group.members, { patience: 1 });
  for (const metric of [2, 2]) first.update(metric);
  expect(first.state()).toEqual({ best: 2, waited: 1, resting: 0 });
  const second = new ReduceOnPlateau(group.members, { patience: 1 });
  second.load(first.state());
  expect(second.update(2)).toBe(true);
  expect(group.members.map(({ learningRate }) => learningRate)).toEqual([0.1, 0.1 * 0.1]);
});

test.each([
  [{ best: "2", waited: 0, resting: 0 }, "best of type string; expected a number or null"],
  [{ best: 2, waited: -1, resting: 0 }, "waited -1; expected an integer from 0"],
  [{ best: null, waited: 0, resting: 0.5 }, "resting 0.5; expected an integer from 0"],
  [null, "best of type undefined; expected a number or null"],
])("ReduceOnPlateau does not go on from %o", (state, says) => {
  using p = new Parameter(tensor([1]));
  using optimizer = new SGD([p], { learningRate: 1 });
  const plateau = new ReduceOnPlateau(optimizer);
  plateau.update(3);
  const before = plateau.state();
  const error = new GradusError(`ReduceOnPlateau: ${says}`);
  expect(() => plateau.load(state as PlateauState)).toThrow(error);
  expect(plateau.state()).toEqual(before);
  plateau.load({ best: null, waited: 4, resting: 2 });
  expect(plateau.state()).toEqual({ best: null, waited: 4, resting: 2 });
});

test("ReduceOnPlateau says whether it lowered the rate of any", () => {
  const holders = [{ learningRate: 1 }, { learningRate: 0.5 }];
  const plateau = new ReduceOnPlateau(holders, { patience: 0, factor: 0.5, minRate: 0.5 });
  expect([1, 1, 1].map((metric) => plateau.update(metric))).toEqual([false, true, false]);
  expect(holders).toEqual([{ learningRate: 0.5 }, { learningRate: 0.5 }]);
  expect(() => new ReduceOnPlateau([holders[0], 5] as never)).toThrow(
    "ReduceOnPlateau: input 1 5; expected an optimizer",
  );
  for (const [option, says] of [
    [{ mode: "least" }, "mode least; expected min, max"],
    [{ thresholdMode: "share" }, "thresholdMode share; expected relative, absolute"],
  ] as const) {
    const error = new GradusError(`ReduceOnPlateau: ${says}`);
    expect(() => new ReduceOnPlateau(holders, option as never)).toThrow(error);
  }
});

test("linearWarmup rises to where the schedule behind it begins", async () => {
  await expectRates(linearWarmup(constantRate(2), { steps: 4 }), {
    0: 0,
    1: 0.5,
    2: 1,
    4: 2,
    9: 2,
  });
  const schedule = linearWarmup(cosineDecay(1, { steps: 10 }), { steps: 5, initialRate: 0.5 });
  await expectRates(schedule, { 0: 0.5, 1: 0.6, 4: 0.9, 5: 1, 10: 0.5, 15: 0, 20: 0 });
  const nested = linearWarmup(linearWarmup(constantRate(1), { steps: 2, initialRate: 0.5 }), {
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
  using plain = new SGD([p], { learningRate: 1 });
  using optimizer = new SGD([p], { learningRate: constantRate(1) });
  const make = (learningRate: Schedule) => () => new SGD([p], { learningRate });
  const expected = `expected a scalar as the step is: Tensor([], f32, ${device.kind})`;
  const rejected: [() => unknown, string][] = [
    [
      () => {
        optimizer.learningRate = 0.1;
      },
      "SGD: learningRate 0.1 over a schedule; expected an optimizer made with a number",
    ],
    [
      make(() => tensor([1, 2])),
      `SGD: learningRate gives Tensor([2], f32, ${device.kind}); ${expected}`,
    ],
    [
      make(() => tensor(1, { dtype: "i32" })),
      `SGD: learningRate gives Tensor([], i32, ${device.kind}); ${expected}`,
    ],
    [make((() => 0.1) as unknown as Schedule), `SGD: learningRate gives 0.1; ${expected}`],
    [() => constantRate(-1), "constantRate: rate -1; expected a finite number from 0"],
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
      () => inverseTimeDecay(1, { decaySteps: 1, decayRate: -1 }),
      "inverseTimeDecay: decayRate -1; expected a finite number from 0",
    ],
    [
      () => polynomialDecay(1, { steps: 1, power: 0 }),
      "polynomialDecay: power 0; expected a finite number above 0",
    ],
    [
      () => piecewiseConstant([1, -1], [1]),
      "piecewiseConstant: rates[1] -1; expected a finite number from 0",
    ],
    [
      () => piecewiseConstant([1, 2], [1, 2]),
      "piecewiseConstant: boundaries [1, 2] for 2 rates; expected rising integers from 1, one fewer than rates",
    ],
    [
      () => multiStepDecay(1, { milestones: [3, 3] }),
      "multiStepDecay: milestones [3, 3] for 3 rates; expected rising integers from 1, one fewer than rates",
    ],
    [
      () => joinSchedules([constantRate(1), constantRate(2)], [0]),
      "joinSchedules: boundaries [0] for 2 schedules; expected rising integers from 1, one fewer than schedules",
    ],
    [
      () => joinSchedules([], []),
      "joinSchedules: boundaries [] for 0 schedules; expected rising integers from 1, one fewer than schedules",
    ],
    [
      () => cosineRestarts(1, { steps: 10, lengthening: 1.5 }),
      "cosineRestarts: lengthening 1.5; expected an integer from 1",
    ],
    [
      () => oneCycle(1, { steps: 10, shape: "square" as never }),
      "oneCycle: shape square; expected cosine, linear",
    ],
    [() => cyclic(1, 2, { stepsUp: 0 }), "cyclic: stepsUp 0; expected an integer from 1"],
    [
      () => cyclic(1, 2, { stepsUp: 1, mode: "round" as never }),
      "cyclic: mode round; expected triangular, triangular2, exponential",
    ],
    [
      () => oneCycle(1, { steps: 3 }),
      "oneCycle: warmup 0.3 of 3 steps; expected a part below 1 of more than one step",
    ],
    [
      () => oneCycle(1, { steps: 4, warmup: 0.25 }),
      "oneCycle: warmup 0.25 of 4 steps; expected a part below 1 of more than one step",
    ],
    [
      () => oneCycle(1, { steps: 3, warmup: 1 }),
      "oneCycle: warmup 1 of 3 steps; expected a part below 1 of more than one step",
    ],
    [
      () => oneCycle(1, { steps: 100, finalDivisor: 0 }),
      "oneCycle: finalDivisor 0; expected a finite number above 0",
    ],
    [
      () => new ReduceOnPlateau(plain, { factor: 1 }),
      "ReduceOnPlateau: factor 1; expected a number from 0 and below 1",
    ],
    [
      () => new ReduceOnPlateau(plain, { patience: 1.5 }),
      "ReduceOnPlateau: patience 1.5; expected an integer from 0",
    ],
    [
      () => new ReduceOnPlateau([plain, optimizer]),
      "ReduceOnPlateau: an optimizer with a schedule; expected optimizers made with a number",
    ],
    [
      () => linearWarmup(constantRate(1), { steps: 0 }),
      "linearWarmup: steps 0; expected an integer from 1",
    ],
    [
      () => linearWarmup(constantRate(1), { steps: 1, initialRate: -1 }),
      "linearWarmup: initialRate -1; expected a finite number from 0",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});
