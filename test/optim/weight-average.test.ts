import { beforeAll, expect, test } from "vitest";
import {
  add,
  compile,
  type Device,
  div,
  evaluate,
  GradusError,
  minimum,
  Parameter,
  square,
  sum,
  tensor,
} from "../../src/index.ts";
import { loadState, saveSafetensors } from "../../src/io/index.ts";
import {
  Adam,
  exponentialMovingAverage,
  WeightAverage,
  type WeightAverageOptions,
} from "../../src/optim/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const SERIES = [3, -1, 4, 1, -5, 9, 2, -6];

/** Σ wᵢ xᵢ, with weights made from all decays at once. */
function weighted(start: number, series: readonly number[], decays: readonly number[]): number {
  const past = (i: number) => decays.slice(i).reduce((a, b) => a * b, 1);
  const terms = series.map((x, i) => (1 - decays[i]) * past(i + 1) * x);
  return terms.reduce((a, b) => a + b, start * past(0));
}

const CASES: [string, WeightAverageOptions, (t: number) => number][] = [
  ["a decay", { decay: 0.8 }, () => 0.8],
  ["the default decay", {}, () => 0.999],
  ["no decay", { decay: 0 }, () => 0],
  [
    "biasCorrection",
    { decay: 0.9, biasCorrection: true },
    (t) => (0.9 - 0.9 ** (t + 1)) / (1 - 0.9 ** (t + 1)),
  ],
  [
    "a rising decay",
    { decay: (t) => minimum(0.5, div(add(t, 1), add(t, 10))) },
    (t) => Math.min(0.5, (1 + t) / (10 + t)),
  ],
  ["the mean of all", { decay: (t) => div(t, add(t, 1)) }, (t) => t / (t + 1)],
];

test.each(CASES)("WeightAverage with %s follows its formula", async (_, options, decayAt) => {
  for (const dtype of device.dtypes.has("f64") ? (["f64", "f32"] as const) : (["f32"] as const)) {
    using p = new Parameter(tensor([7, -7], { dtype }), { name: "p" });
    using average = new WeightAverage([p], options);
    for (const [i, x] of SERIES.entries()) {
      p.assign(tensor([x, -x], { dtype }));
      average.update();
      const decays = SERIES.slice(0, i + 1).map((_, t) => decayAt(t));
      const expected = weighted(7, SERIES.slice(0, i + 1), decays);
      const values = await average.averages[0].data();
      expectClose(values, [expected, -expected], dtype === "f64" ? 12 : 5);
    }
    expect(await average.counter.item()).toBe(SERIES.length);
  }
});

test("biasCorrection agrees with a start at 0 that is scaled", async () => {
  using p = new Parameter(tensor([100]), { name: "p" });
  using average = new WeightAverage([p], { decay: 0.9, biasCorrection: true });
  const expected = exponentialMovingAverage(SERIES, { decay: 0.9, biasCorrection: true });
  for (const [i, x] of SERIES.entries()) {
    p.assign(tensor([x]));
    average.update();
    expect(await average.averages[0].item()).toBeCloseTo(expected[i], 4);
  }
});

test("in one compiled function the average takes what the step has just assigned", async () => {
  const run = async (isCompiled: boolean) => {
    using p = new Parameter(tensor([3, -2]), { name: "p" });
    using optimizer = new Adam([p], { learningRate: 0.1 });
    using average = new WeightAverage([p], { decay: 0.5 });
    const body = () => {
      optimizer.step(sum(square(p)));
      average.update();
    };
    const step = isCompiled ? compile(body) : async () => body();
    let expected = 3;
    for (let i = 0; i < 5; i++) {
      await step();
      expected = 0.5 * expected + 0.5 * (await p.data())[0];
      expect((await average.averages[0].data())[0]).toBeCloseTo(expected, 5);
    }
    return [...(await p.data()), ...(await average.averages[0].data())];
  };
  expectClose(await run(true), await run(false), 5);
});

test("a compiled step with an average takes nothing new from step to step", async () => {
  using p = new Parameter(tensor([3, -2]), { name: "p" });
  using optimizer = new Adam([p], { learningRate: 0.1 });
  using average = new WeightAverage([p], { decay: 0.5, biasCorrection: true });
  const step = compile(() => {
    optimizer.step(sum(square(p)));
    average.update();
  });
  for (let i = 0; i < 3; i++) await step();
  const mark = device.counters.now;
  for (let i = 0; i < 3; i++) await step();
  const { dispatches: _, submits: __, ...made } = device.counters.since(mark);
  expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
});

test("during lends the averages to the parameters, whatever happens", async () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using average = new WeightAverage([p], { decay: 0.5 });
  const step = compile(() => {
    p.assign(add(p, 2));
    average.update();
  });
  await step();
  expect(await average.during(() => p.item())).toBe(2);
  expect([await p.item(), await average.averages[0].item()]).toEqual([3, 2]);
  const failing = average.during(() => {
    throw new Error("evaluation failed");
  });
  await expect(failing).rejects.toThrow("evaluation failed");
  expect([await p.item(), await average.averages[0].item()]).toEqual([3, 2]);
  await step(); // the plan goes on with the values that were put back
  expect([await p.item(), await average.averages[0].item()]).toEqual([5, 3.5]);
  average.swap();
  expect([await p.item(), await average.averages[0].item()]).toEqual([3.5, 5]);
});

test("an average goes on from a checkpoint", async () => {
  using p = new Parameter(tensor([1, 2]), { name: "hidden.weight" });
  using first = new WeightAverage([p], { decay: 0.9, biasCorrection: true });
  expect([...first.state().keys()]).toEqual(["updates", "hidden.weight.average"]);
  p.assign(tensor([5, 6]));
  first.update();
  const checkpoint = await saveSafetensors(first);
  p.assign(tensor([-1, 0]));
  first.update();
  using second = new WeightAverage([p], { decay: 0.9, biasCorrection: true });
  loadState(second, checkpoint);
  second.update();
  expect(await second.averages[0].data()).toEqual(await first.averages[0].data());
});

test("parameters of one name have averages of two names, and dispose frees them", () => {
  const made = [1, 2].map((x) => new Parameter(tensor([x]), { name: "w" }));
  evaluate(...made);
  const before = held(device);
  const average = new WeightAverage(made);
  expect([...average.state().keys()]).toEqual(["updates", "w.average", "w.1.average"]);
  expect([average.counter.dtype, average.counter.device]).toEqual(["u32", device]);
  average.dispose();
  expect(held(device)).toBe(before);
  {
    using _average = new WeightAverage(made);
  }
  expect(held(device)).toBe(before);
});

test("wrong options are rejected", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  const rejected: [() => unknown, string][] = [
    [
      () => new WeightAverage([]),
      "WeightAverage: no parameters; expected at least one. Modules list what lies in public fields, " +
        "arrays, objects, Maps and Sets and is not frozen; private #fields cannot be searched",
    ],
    [
      () => new WeightAverage([p], { decay: 1 }),
      "WeightAverage: decay 1; expected a number from 0 and below 1",
    ],
    [
      () => new WeightAverage([p], { decay: (t) => t, biasCorrection: true }),
      "WeightAverage: biasCorrection of a decay that changes; expected a number as decay",
    ],
    [
      () => exponentialMovingAverage([1], { decay: -1 }),
      "exponentialMovingAverage: decay -1; expected a number from 0 and below 1",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});

test("exponentialMovingAverage follows its formula", () => {
  expect(exponentialMovingAverage([])).toEqual([]);
  expectClose(exponentialMovingAverage([10, 20, 30], { decay: 0.5 }), [5, 12.5, 21.25], 12);
  expectClose(exponentialMovingAverage([1, 1], {}), [0.1, 0.19], 12);
  const corrected = exponentialMovingAverage(new Set([10, 20, 30]), {
    decay: 0.5,
    biasCorrection: true,
  });
  expectClose(corrected, [10, 12.5 / 0.75, 21.25 / 0.875], 12);
  const series = Array.from({ length: 50 }, () => 4);
  expectClose(exponentialMovingAverage(series, { decay: 0.98, biasCorrection: true }), series, 12);
  expect(exponentialMovingAverage([3, -2], { decay: 0 })).toEqual([3, -2]);
  for (const [i, v] of exponentialMovingAverage(SERIES, { decay: 0.8 }).entries()) {
    const past = SERIES.slice(0, i + 1);
    expect(v).toBeCloseTo(
      weighted(
        0,
        past,
        past.map(() => 0.8),
      ),
      12,
    );
  }
});
