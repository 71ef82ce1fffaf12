import { beforeAll, expect, test } from "vitest";
import * as csv from "../../src/csv/index.ts";
import * as data from "../../src/data/index.ts";
import * as engine from "../../src/index.ts";
import { GradusError, type Tensor, tensor } from "../../src/index.ts";
import * as io from "../../src/io/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as train from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

beforeAll(async () => {
  await testDevice();
});

/** Not for calls with anything: errors, the default device, and what is told its caller's name. */
const LEFT_OUT =
  /Error$|^(setDefaultDevice|nextTask|keyFromSeed|MarginHead|Optimizer|zerosInit|[gG]enetic\w*)$/;

const matrix = (): Tensor =>
  tensor([
    [1, 2],
    [3, 4],
  ]);

/** What may stand in front of the value that is wrong. */
const fronts: readonly (() => unknown[])[] = [
  () => [],
  () => [matrix()],
  () => [matrix(), matrix()],
  () => [matrix(), [2, 2]],
  () => [matrix(), 2],
  () => [[2, 2]],
  () => [[2, 2], 1],
  () => [[matrix()]],
  () => [() => matrix()],
  () => [2],
  () => [2, 2],
];

/** Values of every kind; most are wrong at any place. */
const values: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => -1,
  () => 1e308,
  () => "zap",
  () => [1, "a"],
  () => [null],
  () => ({ zap: 1 }),
  () => () => 1,
  () => Symbol("zap"),
  () => 3n,
  () => Object.create(null),
  () => new Map(),
  () => new Float32Array(2),
  () => new Date(0),
  () => new Proxy({}, { get: () => undefined }),
  () => Promise.resolve(1),
];

/** What a call throws, or rejects with, in a while. */
async function errorFrom(f: unknown, args: unknown[]): Promise<unknown> {
  const isClass = String(f).startsWith("class");
  const call = f as (...args: unknown[]) => unknown;
  try {
    const result = isClass ? Reflect.construct(call, args) : call(...args);
    if (!(result instanceof Promise)) return null;
    const late = new Promise((_, reject) => setTimeout(reject, 2000, new Error("no answer")));
    await Promise.race([result, late]);
    return null;
  } catch (error) {
    return error;
  }
}

const modules = { engine, nn, losses, metrics, optim, data, csv, train, io };

for (const [module, exports] of Object.entries(modules)) {
  test(`${module}: calls with anything give errors of the library in the callee's name`, async () => {
    const faults: string[] = [];
    let refused = 0;
    for (const [name, f] of Object.entries<unknown>(exports)) {
      if (typeof f !== "function" || LEFT_OUT.test(name)) continue;
      for (const [i, front] of fronts.entries()) {
        for (const [j, value] of values.entries()) {
          const error = await errorFrom(f, [...front(), value()]);
          if (error === null) continue;
          refused++;
          const [called] = (error as Error).message.split(":");
          const isNamed = called === name || (name === "assignAll" && called === "assign");
          const isRight = error instanceof GradusError && isNamed;
          if (!isRight) faults.push(`${name}, front ${i}, value ${j}: ${error}`);
        }
      }
    }
    expect(faults).toEqual([]);
    expect(refused).toBeGreaterThan(150);
  }, 180_000); // a Transformer of PyTorch's sizes among them
}

test("a batch that is null is told by steps and by the function that is given a loader", async () => {
  const model = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(model.parameters(), { learningRate: 1 });
  const loss = (net: nn.Linear, { x }: { x: Tensor }) => engine.mean(net.call(x));
  const given = { model, optimizer, loss };
  const steps = [train.trainStep(given), train.accumulatedStep({ ...given, accumulate: 2 })];
  for (const step of steps) {
    const said = expect(step(null as never)).rejects;
    await said.toThrow(/^(trainStep|accumulatedStep): no batch; expected one/);
    step.dispose();
  }
  const loader = [null as never];
  await expect(train.fit({ ...given, loader, epochs: 1 })).rejects.toThrow("fit: no batch");
});

const parameter = () => new engine.Parameter(tensor([1]));
const store = { read: async () => null, write: async () => {} };
const labels = () => tensor(Int32Array.of(0, 1));
const wrong = (value: unknown) => value as number;

const texts: readonly [string, () => unknown, string][] = [
  ["full", () => engine.full([2], wrong("3")), 'full: value "3"; expected a number'],
  [
    "pad",
    () => engine.pad(tensor([1]), [[1, 1]], { value: wrong("3") }),
    'pad: value "3"; expected a number',
  ],
  ["clip", () => engine.clip(tensor([1]), wrong("0"), 1), 'clip: low "0"; expected a number'],
  [
    "randomUniform",
    () => engine.randomUniform([2], { low: wrong("1"), high: 2 }),
    'randomUniform: low "1"; expected a number',
  ],
  [
    "randomNormal",
    () => engine.randomNormal([2], { mean: wrong("1"), std: 0 }),
    'randomNormal: mean "1"; expected a number',
  ],
  [
    "uniformAt",
    () => engine.uniformAt(tensor(0, { dtype: "u32" }), [2], { high: wrong("1"), seed: 1 }),
    'uniformAt: high "1"; expected a number',
  ],
  [
    "normalAt",
    () => engine.normalAt(tensor(0, { dtype: "u32" }), [2], { std: wrong("1"), seed: 1 }),
    'normalAt: std "1"; expected a number',
  ],
  [
    "a decay",
    () => optim.exponentialMovingAverage([1], { decay: wrong("0.9") }),
    'exponentialMovingAverage: decay "0.9"; expected a number from 0 and below 1',
  ],
  [
    "a margin",
    () => losses.triplet(matrix(), matrix(), matrix(), { margin: wrong("1") }),
    'triplet: margin "1"; expected a finite number from 0',
  ],
  [
    "a rate",
    () => new nn.Dropout(wrong("0.5")),
    'Dropout: rate "0.5"; expected a number from 0 and below 1',
  ],
  [
    "a norm's epsilon",
    () => engine.l2Normalize(matrix(), { epsilon: wrong("1") }),
    'l2Normalize: epsilon "1"; expected a finite number from 1e-36',
  ],
  [
    "a slice's start",
    () => engine.slice(tensor([1, 2]), [{ start: wrong("1") }]),
    'slice: start "1", end undefined, step 1 on axis 0; expected integers, and a step that is not 0',
  ],
  [
    "an ignored label",
    () => losses.crossEntropy(matrix(), labels(), { ignoreIndex: wrong("1") }),
    'crossEntropy: ignoreIndex "1"; expected an integer',
  ],
  [
    "a patience",
    () => {
      const optimizer = new optim.SGD([parameter()], { learningRate: 1 });
      return new optim.ReduceOnPlateau(optimizer, { patience: wrong("1") });
    },
    'ReduceOnPlateau: patience "1"; expected an integer from 0',
  ],
  [
    "a threshold",
    () => metrics.binaryAccuracy(matrix(), matrix(), { threshold: wrong("1") }),
    'binaryAccuracy: threshold "1"; expected a finite number',
  ],
  [
    "a batch's size",
    () => new data.BatchSampler({ size: 2, batchSize: wrong("1") }),
    'BatchSampler: batchSize "1"; expected an integer from 1 to 2^32',
  ],
  [
    "a count of folds",
    () => data.kFold(new data.TensorDataset({ x: matrix() }), wrong("2")),
    'kFold: k "2"; expected an integer from 2 to 2',
  ],
  [
    "a saving's period",
    () => new train.Checkpoint({ to: store, every: { epochs: wrong("1") } }),
    'Checkpoint: every "1" epochs; expected an integer from 1',
  ],
  [
    "no decay",
    () => new optim.WeightAverage([parameter()], { decay: wrong(null) }),
    "WeightAverage: decay null; expected a number from 0 and below 1",
  ],
  [
    "a warm-up",
    () => optim.oneCycle(0.1, { steps: 10, warmup: wrong("0.3") }),
    'oneCycle: warmup "0.3"; expected a number',
  ],
  [
    "an angle",
    () => new losses.ArcFace(2, 3, { margin: wrong("1") }),
    'ArcFace: margin "1"; expected a number from 0 and below π',
  ],
  [
    "a share",
    () => new losses.CenterLoss(2, 3, { rate: wrong("1") }),
    'CenterLoss: rate "1"; expected 0 to 1',
  ],
];

/** Options that took whatever is true for true, and whatever is false for nothing. */
const options: readonly [string, () => unknown, string][] = [
  [
    "shuffle",
    () => new data.BatchSampler({ size: 2, batchSize: 1, shuffle: "false" as never }),
    'BatchSampler: shuffle "false"; expected true or false',
  ],
  [
    "amsgrad",
    () => new optim.Adam([parameter()], { learningRate: 1, amsgrad: "false" as never }),
    'Adam: amsgrad "false"; expected true or false',
  ],
  [
    "nesterov",
    () => new optim.SGD([parameter()], { learningRate: 1, nesterov: 1 as never }),
    "SGD: nesterov 1; expected true or false",
  ],
  [
    "restoreBest",
    () => new train.EarlyStopping({ restoreBest: "false" as never }),
    'EarlyStopping: restoreBest "false"; expected true or false',
  ],
  [
    "keepDims",
    () => engine.sum(tensor([1]), { keepDims: 1 as never }),
    "sum: keepDims 1; expected true or false",
  ],
  [
    "weights",
    () => losses.meanSquaredError(matrix(), matrix(), { weights: 0 as never }),
    "meanSquaredError: weights 0; expected a tensor. Use tensor(value)",
  ],
  [
    "shape",
    () => tensor([1], { shape: 0 as never }),
    "tensor: shape 0; expected an array of non-negative integers",
  ],
  [
    "device",
    () => engine.eye(2, 2, { device: "cpu" as never }),
    'eye: device "cpu"; expected one that init gave, as (await init()).device',
  ],
  [
    "a permutation's device",
    () => engine.randomPermutation(2, { device: "cpu" as never }),
    'randomPermutation: device "cpu"; expected one that init gave, as (await init()).device',
  ],
  [
    "weightInit",
    () => new nn.Linear(2, 3, { weightInit: "zeros" as never }),
    'Linear: weightInit is "zeros"; expected a function',
  ],
  [
    "a head's weightInit",
    () => new losses.ArcFace(2, 3, { weightInit: "zeros" as never }),
    'ArcFace: weightInit is "zeros"; expected a function',
  ],
];

test.each(options)("an option of the wrong kind is told: %s", (_, call, says) => {
  const error = errorOf(call);
  expect(error).toBeInstanceOf(GradusError);
  expect(error.message).toBe(says);
});

test.each(texts)("%s given as text is refused, not reckoned with", (_, call, says) => {
  const error = errorOf(call);
  expect(error).toBeInstanceOf(GradusError);
  expect(error.message).toBe(says);
});

test("gradCheck refuses a step and a tolerance given as text", async () => {
  const check = (options: object) =>
    engine.gradCheck((x) => engine.sum(x), [tensor([1], { dtype: "f64" })], options);
  await expect(check({ epsilon: "1" })).rejects.toThrow(
    'gradCheck: epsilon "1"; expected a finite number above 0',
  );
  await expect(check({ tolerance: "1" })).rejects.toThrow(
    'gradCheck: tolerance "1"; expected a number',
  );
});

test("a function or a file's tensor that is none is told by name", async () => {
  const average = new optim.WeightAverage([parameter()]);
  await expect(average.during(wrong(1) as never)).rejects.toThrow(
    "WeightAverage: fn is 1; expected a function",
  );
  expect(() => io.writeSafetensors({ a: null as never })).toThrow(
    'writeSafetensors: tensor "a" null; expected an object of dtype, shape and data',
  );
});
