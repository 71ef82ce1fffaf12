import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Batch,
  BatchSampler,
  DataLoader,
  prefetch,
  TensorDataset,
} from "../../src/data/index.ts";
import { GradusError, square, sum, type Tensor, tensor } from "../../src/index.ts";
import { meanSquaredError } from "../../src/losses/index.ts";
import { Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { ReduceOnPlateau } from "../../src/optim/index.ts";
import {
  accumulatedStep,
  Checkpoint,
  csvLog,
  EarlyStopping,
  evaluateAccuracy,
  evaluateMeans,
  fit,
  GeneticAlgorithm,
  gradientDescent,
  lossPerIndividual,
  numericalGradient,
  onMetric,
  type TrainEvent,
  train,
  trainStep,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { memoryStore } from "../support/fit-outcome.ts";
import { smallData, smallRun } from "../support/small-run.ts";

beforeAll(() => testDevice());

type Any = Record<string, unknown>;

const run = (options: Any = {}) => ({ ...smallRun(0.05), epochs: 1, ...options }) as never;
const step = (options: Any = {}) => {
  const { loader: _, ...parts } = smallRun(0.05);
  return { ...parts, ...options } as never;
};
const collect = async (options: never) => {
  const all: TrainEvent[] = [];
  for await (const event of train<Module, Batch>(options)) all.push(event);
  return all;
};
const bowl = (x: Tensor) => sum(square(x));
/** Returns a promise where a tensor is due. */
const read = (async (x: Tensor) => sum(x)) as unknown as (x: Tensor) => Tensor;
const sampling = { size: 10, batchSize: 3 };
const population = (options: Any = {}) => ({
  model: new Sequential(new Linear(1, 1, { seed: 1 })),
  loss: () => tensor([0, 0]),
  populationSize: 2,
  elite: 1,
  ...options,
});

/** All that takes options, each called with some beside those that it needs. */
const takers: Record<string, (options: Any) => unknown> = {
  fit: (options) => fit(run(options)),
  train: (options) => collect(run(options)),
  trainStep: (options) => trainStep(step(options)),
  accumulatedStep: (options) => accumulatedStep(step({ accumulate: 2, ...options })),
  evaluateAccuracy: (options) => evaluateAccuracy(smallRun().model, smallData(4), options),
  evaluateMeans: (options) =>
    evaluateMeans(smallRun().model, smallData(4), { m: () => tensor(1) }, options),
  EarlyStopping: (options) => new EarlyStopping(options),
  Checkpoint: (options) => new Checkpoint({ to: memoryStore(), ...options }),
  ReduceOnPlateau: (options) => new ReduceOnPlateau(smallRun(0.1).optimizer, options),
  GeneticAlgorithm: (options) => new GeneticAlgorithm(population(options)),
  gradientDescent: (options) =>
    gradientDescent(bowl, tensor([1]), { learningRate: 0.1, steps: 1, ...options }),
  DataLoader: (options) => new DataLoader({ dataset: smallData(9), batchSize: 3, ...options }),
  BatchSampler: (options) => new BatchSampler({ ...sampling, ...options }),
  prefetch: (options) => prefetch([], 1, options),
};

/** The message of what a call throws, at once or later; null where it throws nothing. */
async function messageOf(call: () => unknown): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(GradusError);
    return (error as Error).message;
  }
}

describe("unknown options", () => {
  test.each(Object.entries(takers))("%s refuses them by name", async (op, call) => {
    expect(await messageOf(() => call({}))).toBeNull();
    const message = await messageOf(() => call({ quux: 1 }));
    expect(message).toMatch(new RegExp(`^${op}: unknown option "quux"; expected [a-z]`));
    expect(await messageOf(() => call(Object.assign([], { 0: 1 }) as never))).not.toBe("");
  });

  test.each([
    ["fit", "validation_data", "validationData"],
    ["fit", "epoch", "epochs"],
    ["fit", "callback", "callbacks"],
    ["train", "metrics_every", "metricsEvery"],
    ["trainStep", "onprogress", "onProgress"],
    ["accumulatedStep", "metric", "metrics"],
    ["evaluateAccuracy", "batch_size", "batchSize"],
    ["evaluateMeans", "batchsize", "batchSize"],
    ["EarlyStopping", "patiance", "patience"],
    ["EarlyStopping", "min_delta", "minDelta"],
    ["Checkpoint", "evry", "every"],
    ["ReduceOnPlateau", "cool_down", "cooldown"],
    ["GeneticAlgorithm", "population_size", "populationSize"],
    ["gradientDescent", "learning_rate", "learningRate"],
    ["DataLoader", "shufle", "shuffle"],
    ["BatchSampler", "drop_last", "dropLast"],
    ["prefetch", "ondrop", "onDrop"],
  ])("%s knows what %s may stand for", async (op, wrong, right) => {
    expect(await messageOf(() => takers[op]({ [wrong]: 1 }))).toContain(`Did you mean "${right}"?`);
  });
});

test("a model without states is told of, once for a step", () => {
  class Hidden extends Linear {
    override state() {
      return new Map();
    }
  }
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const made = [new Hidden(6, 3), new Linear(6, 3)].map((model) => trainStep(step({ model })));
  expect(warn.mock.calls).toEqual([
    [
      "gradus: trainStep: model Hidden has no parameters or other states; expected them in public " +
        "fields, arrays, objects, Maps or Sets. Private #fields cannot be searched",
    ],
  ]);
  warn.mockRestore();
  for (const each of made) each.dispose();
});

test.each([
  ["fit", "ignoreStop"],
  ["EarlyStopping", "restoreBest"],
  ["gradientDescent", "history"],
  ["DataLoader", "shuffle"],
  ["DataLoader", "dropLast"],
  ["DataLoader", "replacement"],
  ["BatchSampler", "shuffle"],
  ["BatchSampler", "dropLast"],
  ["BatchSampler", "replacement"],
])("%s takes no text for the flag %s", async (op, flag) => {
  const message = await messageOf(() => takers[op]({ [flag]: "false" }));
  expect(message).toBe(`${op}: ${flag} "false"; expected true or false`);
});

describe("options out of their ranges", () => {
  const nothing = null as unknown;
  test.each<[string, Any, string]>([
    ["fit", { epochs: -1 }, "fit: epochs -1; expected an integer from 0"],
    ["fit", { epochs: undefined }, "fit: epochs undefined; expected an integer from 0"],
    ["fit", { metricsEvery: 0 }, "fit: metricsEvery 0; expected an integer from 1"],
    ["fit", { accumulate: 1.5 }, "fit: accumulate 1.5; expected an integer from 1"],
    ["fit", { startStep: 1 }, 'fit: unknown option "startStep"; expected'],
    ["fit", { evaluationBatchSize: 0 }, "fit: evaluationBatchSize 0; expected a positive integer"],
    ["fit", { stepsPerSubmit: 0 }, "fit: stepsPerSubmit 0; expected an integer from 1"],
    ["fit", { onNonFinite: "warn" }, "fit: onNonFinite warn; expected stop, ignore"],
    ["fit", { model: undefined }, "fit: model is undefined; expected a Module"],
    ["fit", { model: { call() {} } }, "fit: model is an object; expected a Module"],
    ["fit", { optimizer: "Adam" }, 'fit: optimizer is "Adam"; expected an optimizer'],
    ["fit", { loss: undefined }, "fit: loss is undefined; expected a function"],
    ["fit", { after: 1 }, "fit: after is 1; expected a function"],
    ["fit", { metrics: ["accuracy"] }, "fit: metrics an array; expected functions by name"],
    ["fit", { metrics: 5 }, "fit: metrics 5; expected functions by name"],
    ["fit", { metrics: nothing }, "fit: metrics null; expected functions by name"],
    ["fit", { metrics: { accuracy: 1 } }, "fit: metric accuracy is 1; expected a function"],
    ["fit", { metrics: { loss: () => 1 } }, "fit: a metric called loss or step; expected other"],
    ["fit", { metrics: { step: () => 1 } }, "fit: a metric called loss or step; expected other"],
    ["fit", { metrics: { a: () => 1 } }, "fit: a gave 1; expected a scalar tensor"],
    ["fit", { loss: () => undefined }, "fit: loss gave undefined; expected a scalar tensor"],
    ["fit", { loss: (m: Module, b: Batch) => m.call(b.images) }, "fit: loss has shape [5, 3]; exp"],
    [
      "fit",
      { validationData: [1] },
      "fit: validationData is an array; expected a data set such as",
    ],
    ["fit", { trainData: { batch() {} } }, "fit: trainData of size undefined; expected at least"],
    [
      "fit",
      { testData: { size: 0, batch() {} } },
      "fit: testData of size 0; expected at least one",
    ],
    ["fit", { callbacks: new EarlyStopping() }, "fit: callbacks an EarlyStopping; expected a list"],
    ["fit", { callbacks: [null] }, "fit: callback 1 null; expected an object such as"],
    ["fit", { callbacks: [() => {}] }, "fit: callback 1 a function; expected an object such as"],
    [
      "fit",
      { callbacks: [{}, { onEpochEnd() {} }] },
      'fit: callback 2 with "onEpochEnd"; expected onStart, onStep, onMeasure, onEpoch, onDeviceLost, ' +
        "onRecovered, onDeviceChosen, onEnd",
    ],
    ["fit", { callbacks: [{ onstep() {}, onSteps() {} }] }, 'Did you mean "onStep"?'],
    ["fit", { extra: { average: 1 } }, "fit: average is 1; expected something with state()"],
    ["train", { epochs: 0.5 }, "train: epochs 0.5; expected an integer from 0"],
    ["train", { startStep: -1 }, "train: startStep -1; expected an integer from 0"],
    ["train", { startStep: 0.5 }, "train: startStep 0.5; expected an integer from 0"],
    ["train", { metricsEvery: Number.NaN }, "train: metricsEvery NaN; expected an integer from 1"],
    ["train", { measureEvery: 0 }, "train: measureEvery 0; expected an integer from 1"],
    [
      "fit",
      { control: new AbortController() },
      "fit: control is an AbortController; expected a RunControl",
    ],
    ["train", { loader: 3 }, "train: loader 3; expected a DataLoader, a list or another iterable"],
    ["trainStep", { history: 0 }, "trainStep: history 0; expected an integer from 1 to 2^32 - 1"],
    ["trainStep", { stepsPerSubmit: 1.5 }, "trainStep: stepsPerSubmit 1.5; expected an integer"],
    ...["fit", "train", "trainStep"].map((op): [string, Any, string] => [
      op,
      { stepsPerSubmit: 0 },
      `${op}: stepsPerSubmit 0; expected an integer from 1`,
    ]),
    ["trainStep", { batchAt: 5 }, "trainStep: batchAt is 5; expected a function"],
    ["accumulatedStep", { accumulate: 0 }, "accumulatedStep: accumulate 0; expected an integer"],
    ["accumulatedStep", { history: 0 }, "accumulatedStep: history 0; expected an integer from 1"],
    ["accumulatedStep", { loss: 0 }, "accumulatedStep: loss is 0; expected a function"],
    ["evaluateAccuracy", { batchSize: 0 }, "evaluateAccuracy: batchSize 0; expected a positive"],
    ["evaluateMeans", { batchSize: "9" }, 'evaluateMeans: batchSize "9"; expected a positive'],
    ["EarlyStopping", { patience: 0 }, "EarlyStopping: patience 0; expected an integer from 1"],
    ["EarlyStopping", { patience: 1.5 }, "EarlyStopping: patience 1.5; expected an integer"],
    ["EarlyStopping", { minDelta: -1 }, "EarlyStopping: minDelta -1; expected a finite number"],
    ["EarlyStopping", { minDelta: Infinity }, "EarlyStopping: minDelta Infinity; expected a fin"],
    ["EarlyStopping", { mode: "auto" }, "EarlyStopping: mode auto; expected min, max"],
    ["EarlyStopping", { mode: "Max" }, 'expected min, max. Did you mean "max"?'],
    [
      "EarlyStopping",
      { monitor: "validation_loss" },
      'EarlyStopping: monitor "validation_loss"; expected loss, validationLoss, trainAccuracy, ' +
        'testAccuracy or a function of the epoch. Did you mean "validationLoss"?',
    ],
    ["Checkpoint", { to: undefined }, "Checkpoint: no store; expected to or best"],
    ["Checkpoint", { to: "run.bin" }, 'Checkpoint: store is "run.bin"; expected a store'],
    ["Checkpoint", { best: {} }, "Checkpoint: store is an object; expected a store"],
    [
      "Checkpoint",
      { every: { steps: 0 } },
      "Checkpoint: every 0 steps; expected an integer from 1",
    ],
    ["Checkpoint", { every: { epochs: 0.5 } }, "Checkpoint: every 0.5 epochs; expected an integer"],
    ["Checkpoint", { every: {} }, "Checkpoint: every {}; expected either epochs or steps"],
    ["Checkpoint", { every: { steps: 1, epochs: 1 } }, "Checkpoint: every both epochs and steps;"],
    ["Checkpoint", { every: { batches: 1 } }, 'Checkpoint: every: unknown option "batches"; exp'],
    [
      "Checkpoint",
      { every: 5 },
      "Checkpoint: every: options 5; expected an object of epochs, steps",
    ],
    ["Checkpoint", { mode: "less" }, "Checkpoint: mode less; expected min, max"],
    ["Checkpoint", { monitor: "acc" }, 'Checkpoint: monitor "acc"; expected loss'],
    ["ReduceOnPlateau", { mode: "auto" }, "ReduceOnPlateau: mode auto; expected min, max"],
    [
      "ReduceOnPlateau",
      { thresholdMode: "rel" },
      "ReduceOnPlateau: thresholdMode rel; expected re",
    ],
    ["ReduceOnPlateau", { factor: 1 }, "ReduceOnPlateau: factor 1; expected a number from 0 and"],
    [
      "ReduceOnPlateau",
      { patience: -1 },
      "ReduceOnPlateau: patience -1; expected an integer from 0",
    ],
    ["ReduceOnPlateau", { cooldown: 0.5 }, "ReduceOnPlateau: cooldown 0.5; expected an integer"],
    ["GeneticAlgorithm", { model: 1 }, "GeneticAlgorithm: model is 1; expected a Module"],
    ["GeneticAlgorithm", { loss: 1 }, "GeneticAlgorithm: loss is 1; expected a function"],
    ["GeneticAlgorithm", { populationSize: 1 }, "GeneticAlgorithm: populationSize 1; expected an"],
    [
      "GeneticAlgorithm",
      { elite: 0 },
      "GeneticAlgorithm: elite 0; expected an integer from 1 to 1",
    ],
    [
      "GeneticAlgorithm",
      { elite: 2 },
      "GeneticAlgorithm: elite 2; expected an integer from 1 to 1",
    ],
    ["GeneticAlgorithm", { tournamentSize: 0 }, "GeneticAlgorithm: tournamentSize 0; expected an"],
    ["GeneticAlgorithm", { crossoverRate: 1.1 }, "GeneticAlgorithm: crossoverRate 1.1; expected a"],
    ["GeneticAlgorithm", { mutationRate: -0.1 }, "GeneticAlgorithm: mutationRate -0.1; expected a"],
    ["GeneticAlgorithm", { mutationScale: -1 }, "GeneticAlgorithm: mutationScale -1; expected a f"],
    ["GeneticAlgorithm", { initialScale: -1 }, "GeneticAlgorithm: initialScale -1; expected a fi"],
    ["GeneticAlgorithm", { selection: "best" }, "GeneticAlgorithm: selection best; expected tourn"],
    ["GeneticAlgorithm", { crossover: "onePoint" }, 'one-point, blend. Did you mean "one-point"?'],
    ["GeneticAlgorithm", { seed: -1 }, "GeneticAlgorithm: seed -1; expected"],
    ["GeneticAlgorithm", { stepsPerSubmit: 0 }, "GeneticAlgorithm: stepsPerSubmit 0; expected an"],
    [
      "gradientDescent",
      { learningRate: -1 },
      "gradientDescent: learningRate -1; expected a finite",
    ],
    ["gradientDescent", { steps: 0 }, "gradientDescent: steps 0; expected an integer from 1"],
    ["gradientDescent", { tolerance: -1 }, "gradientDescent: tolerance -1; expected a finite"],
    ["DataLoader", { dataset: [1, 2] }, "DataLoader: dataset is an array; expected one such"],
    ["DataLoader", { batchSize: 0 }, "DataLoader: batchSize 0; expected an integer from 1 to 2^32"],
    ["DataLoader", { batchSize: 10, dropLast: true }, "DataLoader: batchSize 10 with dropLast lea"],
    ["DataLoader", { seed: 0.5 }, "DataLoader: seed 0.5; expected"],
    ["DataLoader", { prefetch: 0.5 }, "DataLoader: prefetch 0.5; expected an integer from 0"],
    [
      "DataLoader",
      { replacement: true, shuffle: false },
      "DataLoader: replacement with shuffle: f",
    ],
    ["BatchSampler", { size: 0 }, "BatchSampler: size 0; expected an integer from 1 to 2^32"],
  ])("%s %o", async (op, options, message) => {
    expect(await messageOf(() => takers[op](options))).toContain(message);
  });

  test.each<[string, () => unknown, string]>([
    [
      "an epoch",
      () => new DataLoader({ dataset: smallData(4), batchSize: 2 }).epoch(-1),
      "DataLoader: epoch -1; expected an integer from 0 to 2^32 - 1",
    ],
    [
      "half an epoch",
      () => new DataLoader({ dataset: smallData(4), batchSize: 2 }).epoch(0.5),
      "DataLoader: epoch 0.5; expected an integer",
    ],
    [
      "no data",
      () => evaluateMeans(smallRun().model, undefined as never, {}),
      "evaluateMeans: dataset is undefined; expected a data set",
    ],
    [
      "no metric",
      () => evaluateMeans(smallRun().model, smallData(3), { a: 1 } as never),
      "evaluateMeans: metric a is 1; expected a function",
    ],
    [
      "rows",
      () => evaluateMeans(smallRun().model, smallData(3), { a: (m, { images }) => m.call(images) }),
      "evaluateMeans: a has shape [3, 3]; expected a scalar",
    ],
    ["a bare number", () => new EarlyStopping(5 as never), "Did you mean { patience: 5 }?"],
    [
      "a bare size",
      () => evaluateAccuracy(smallRun().model, smallData(4), 2 as never),
      "evaluateAccuracy: options 2; expected an object of batchSize, signal. " +
        "Did you mean { batchSize: 2 }?",
    ],
    [
      "a data set alone",
      () => new DataLoader(smallData(3) as never),
      "DataLoader: options a DeviceDataset; expected an object of dataset, batchSize",
    ],
    [
      "no model",
      () => evaluateAccuracy(undefined as never, smallData(3)),
      "evaluateAccuracy: model is undefined; expected a Module",
    ],
    [
      "other data",
      () => evaluateAccuracy(smallRun().model, new TensorDataset({ x: tensor([[1]]) }) as never),
      "evaluateAccuracy: batches with x; expected images and labels. Use evaluateMeans for other",
    ],
    [
      "no function",
      () => gradientDescent(1 as never, tensor([1]), { learningRate: 1, steps: 1 }),
      "gradientDescent: f is 1; expected a function",
    ],
    [
      "no tensor",
      () => gradientDescent(bowl, [1] as never, { learningRate: 1, steps: 1 }),
      "gradientDescent: x0 is no tensor; expected one of f32 or f64",
    ],
    [
      "whole numbers",
      () => gradientDescent(bowl, tensor([1], { dtype: "i32" }), { learningRate: 1, steps: 1 }),
      "gradientDescent: x0 has dtype i32; expected f32 or f64",
    ],
    [
      "images alone",
      () => {
        const data = new TensorDataset({ images: tensor([[1]]) });
        return evaluateAccuracy(smallRun().model, data as never);
      },
      "evaluateAccuracy: batches with images; expected images and labels. Use evaluateMeans",
    ],
    [
      "outputs of one axis",
      () => lossPerIndividual(meanSquaredError, tensor([1]), tensor([1])),
      "lossPerIndividual: outputs [1], targets [1]; expected [p, n, …] and [n, …]",
    ],
    [
      "a target without axes",
      () => lossPerIndividual(meanSquaredError, tensor([[1]]), tensor(1)),
      "lossPerIndividual: outputs [1, 1], targets []; expected [p, n, …] and [n, …]",
    ],
    [
      "a promise of differences",
      () => numericalGradient(read, tensor([1])),
      "numericalGradient: f gives a Promise; expected a tensor, a scalar",
    ],
    [
      "a listener",
      () => onMetric({} as never),
      "onMetric: listener is an object; expected something with update(metric)",
    ],
    [
      "a monitor",
      () => onMetric({ update() {} }, "accuracy" as never),
      'onMetric: monitor "accuracy"; expected loss, validationLoss',
    ],
    [
      "a writer",
      () => csvLog("run.csv" as never),
      'csvLog: write is "run.csv"; expected a function',
    ],
  ])("of other calls: %s", async (_, call, message) => {
    expect(await messageOf(call)).toContain(message);
  });
});
