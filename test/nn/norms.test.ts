import { beforeAll, expect, test } from "vitest";
import {
  batchNorm,
  GradusError,
  grad,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  permute,
  randomNormal,
  rmsNorm,
  ShapeError,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  Flatten,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  LayerNorm,
  Linear,
  LocalResponseNorm,
  loadState,
  type Module,
  ReLU,
  RMSNorm,
  Sequential,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

beforeAll(async () => {
  await testDevice();
});

const values = async (x: Tensor) => [...(await x.data())];

test("layers compute what the functions do, with parameters of ones and zeros", async () => {
  const x = randomNormal([4, 6, 5, 3], { seed: 1, mean: 2 });
  const rows: [Module, Tensor, string[]][] = [
    [new LayerNorm([5, 3]), layerNorm(x, [5, 3]), ["weight", "bias"]],
    [
      new LayerNorm(3, { bias: false, epsilon: 0.1 }),
      layerNorm(x, 3, { epsilon: 0.1 }),
      ["weight"],
    ],
    [new LayerNorm(3, { elementwiseAffine: false }), layerNorm(x, 3), []],
    [new RMSNorm(3), rmsNorm(x, 3), ["weight"]],
    [new GroupNorm(2, 6), groupNorm(x, 2), ["weight", "bias"]],
    [new GroupNorm(1, 3, { axis: -1, affine: false }), groupNorm(x, 1, { axis: 3 }), []],
    [new InstanceNorm2d(6), instanceNorm(x), []],
    [
      new InstanceNorm2d(3, { affine: true, layout: "NHWC" }),
      instanceNorm(x, { axis: 3 }),
      ["weight", "bias"],
    ],
    [new LocalResponseNorm(3, { alpha: 1 }), localResponseNorm(x, 3, { alpha: 1 }), []],
    [new BatchNorm2d(6, { trackRunningStats: false }), batchNorm(x), ["weight", "bias"]],
  ];
  for (const [layer, wanted, names] of rows) {
    expect([...layer.state().keys()]).toEqual(names);
    expectClose(await layer.call(x).data(), await values(wanted), 1e-6);
  }
  const shapes: [Module, number[]][] = [
    [new BatchNorm1d(3), [2, 3]],
    [new BatchNorm1d(3), [2, 3, 4]],
    [new BatchNorm3d(3), [2, 3, 2, 2, 2]],
    [new InstanceNorm1d(3), [2, 3, 4]],
    [new InstanceNorm3d(3), [2, 3, 2, 2, 2]],
  ];
  for (const [layer, shape] of shapes) expect(layer.call(zeros(shape)).shape).toEqual(shape);
});

/** Means, and variances of n − 1, of the channels of `[n, channels, …]`. */
async function statistics(x: Tensor): Promise<{ mean: number[]; variance: number[] }> {
  const [n, channels, ...rest] = x.shape;
  const each = rest.reduce((a, b) => a * b, 1);
  const data = await x.data();
  const all = Array.from({ length: channels }, (_, c) =>
    Array.from({ length: n * each }, (_, i) => {
      return data[(Math.floor(i / each) * channels + c) * each + (i % each)];
    }),
  );
  const mean = all.map((own) => own.reduce((a, b) => a + b) / own.length);
  const variance = all.map((own, c) => {
    return own.reduce((a, b) => a + (b - mean[c]) ** 2, 0) / (own.length - 1);
  });
  return { mean, variance };
}

test.each([0.1, 0.4, null])("running statistics follow batches, momentum %s", async (momentum) => {
  const layer = new BatchNorm2d(3, { momentum }).train();
  expect([...layer.state().keys()]).toEqual([
    "weight",
    "bias",
    "runningMean",
    "runningVar",
    "numBatchesTracked",
  ]);
  let [mean, variance] = [
    [0, 0, 0],
    [1, 1, 1],
  ];
  for (let i = 0; i < 3; i++) {
    const x = randomNormal([4, 3, 2, 5], { seed: i, mean: 3 * i, std: 1 + i });
    const y = layer.call(x);
    expectClose(await y.data(), await values(batchNorm(x)), 1e-6);
    const own = await statistics(x);
    const share = momentum ?? 1 / (i + 1);
    const mixed = (old: number[], now: number[]) =>
      old.map((value, c) => (1 - share) * value + share * now[c]);
    [mean, variance] = [mixed(mean, own.mean), mixed(variance, own.variance)];
    expectClose(await (layer.runningMean as Tensor).data(), mean, 1e-5);
    expectClose(await (layer.runningVar as Tensor).data(), variance, 1e-4);
    expect(await layer.numBatchesTracked?.item()).toBe(i + 1);
  }
  const x = randomNormal([2, 3, 2, 2], { seed: 9 });
  const wanted = batchNorm(x, { mean: tensor(mean), variance: tensor(variance) });
  expectClose(await layer.eval().call(x).data(), await values(wanted), 1e-5);
  expect(await layer.numBatchesTracked?.item()).toBe(3); // evaluation counts none
});

test("channels that lie last have the same statistics", async () => {
  const x = randomNormal([4, 3, 2, 5], { seed: 3, mean: 2 });
  const [first, last] = [new BatchNorm2d(3), new BatchNorm2d(3, { layout: "NHWC" })];
  const y = first.train().call(x);
  const z = permute(last.train().call(permute(x, 0, 2, 3, 1)), 0, 3, 1, 2);
  expectClose(await z.data(), await values(y), 1e-6);
  expectClose(
    await (last.runningVar as Tensor).data(),
    await values(first.runningVar as Tensor),
    1e-6,
  );
});

const network = (seed: number) =>
  new Sequential(
    new Linear(6, 8, { seed }),
    new BatchNorm1d(8),
    new ReLU(),
    new Flatten(),
    new LayerNorm(8),
    new Linear(8, 3, { seed: seed + 1 }),
  );

interface Given {
  readonly x: Tensor;
  readonly labels: Tensor;
}

const loss = (model: Sequential, { x, labels }: Given) => crossEntropy(model.call(x), labels);

test("a compiled step trains and tracks as steps one by one, and what it made is saved", async () => {
  const [compiled, eager] = [network(1), network(1)];
  const optimizers = [compiled, eager].map(
    (model) => new SGD(model.parameters(), { learningRate: 0.2 }),
  );
  const step = trainStep({ model: compiled, optimizer: optimizers[0], loss });
  const batches = [0, 1].map((seed) => ({
    x: randomNormal([12, 6], { seed, mean: 1 }),
    labels: tensor(Int32Array.from({ length: 12 }, (_, i) => (i + seed) % 3)),
  }));
  for (let i = 0; i < 6; i++) {
    await step(batches[i % 2]);
    optimizers[1].step(loss(eager.train(), batches[i % 2]));
  }
  const losses = (await step.read()).map((record) => record.loss);
  expect(losses[5]).toBeLessThan(losses[0]);
  const wanted = eager.state();
  for (const [name, state] of compiled.state()) {
    expectClose(await state.data(), await values(wanted.get(name) as Tensor), 1e-4);
  }
  expect(await (compiled.layers[1] as BatchNorm1d).numBatchesTracked?.item()).toBe(6);
  const other = network(5);
  loadState(other, compiled.state());
  const [{ x }] = batches;
  expect(await values(other.call(x))).toEqual(await values(compiled.eval().call(x)));
});

test("gradients pass through a batch's statistics, and not through running ones", async () => {
  const x = randomNormal([5, 2], { seed: 4 });
  const layer = new BatchNorm1d(2);
  const [whole] = grad(sum(square(layer.train().call(x))), [x]);
  // Σ y² is constant but for ε.
  expectClose(await whole.data(), Array(10).fill(0), 1e-3);
  const own = new BatchNorm1d(2);
  const [dx] = grad(sum(own.call(x)), [x]);
  expectClose(await dx.data(), Array(10).fill(1 / Math.sqrt(1 + 1e-5)), 1e-6);
});

test.each(["NCHW", "NHWC"] as const)(
  "an instance norm keeps means of images' statistics: %s",
  async (layout) => {
    const isLast = layout === "NHWC";
    const layer = new InstanceNorm2d(2, { trackRunningStats: true, momentum: 0.3, layout });
    const [means, variances] = [
      [0, 0],
      [1, 1],
    ];
    for (const seed of [1, 2]) {
      const x = randomNormal(isLast ? [3, 4, 5, 2] : [3, 2, 4, 5], { seed, mean: 2, std: 3 });
      const all = await values(x);
      const y = await values(layer.train().call(x));
      expectClose(
        Float32Array.from(y),
        await values(instanceNorm(x, { axis: isLast ? 3 : 1 })),
        1e-5,
      );
      for (let c = 0; c < 2; c++) {
        let [mean, variance] = [0, 0];
        for (let n = 0; n < 3; n++) {
          const own = Array.from({ length: 20 }, (_, i) => {
            return all[isLast ? (n * 20 + i) * 2 + c : (n * 2 + c) * 20 + i];
          });
          const m = own.reduce((a, b) => a + b) / 20;
          mean += m / 3;
          variance += own.reduce((a, b) => a + (b - m) ** 2, 0) / 19 / 3;
        }
        means[c] = 0.7 * means[c] + 0.3 * mean;
        variances[c] = 0.7 * variances[c] + 0.3 * variance;
      }
    }
    expectClose(await (layer.runningMean as Tensor).data(), means, 1e-5);
    expectClose(await (layer.runningVar as Tensor).data(), variances, 1e-5);
    const before = await values(layer.runningMean as Tensor);
    layer.eval().call(randomNormal([1, ...(isLast ? [4, 5, 2] : [2, 4, 5])], { seed: 3 }));
    expect(await values(layer.runningMean as Tensor)).toEqual(before);
  },
);

test("what does not fit is refused with the layer's name", () => {
  const cases: [() => unknown, string, typeof GradusError][] = [
    [
      () => new BatchNorm2d(3).call(zeros([2, 4, 5, 5])),
      "BatchNorm2d: input [2, 4, 5, 5]; expected 4 axes, with 3 channels on axis 1",
      ShapeError,
    ],
    [
      () => new BatchNorm1d(3).call(zeros([2, 3, 5, 5])),
      "BatchNorm1d: input [2, 3, 5, 5]; expected 2 or 3 axes, with 3 channels on axis 1",
      ShapeError,
    ],
    [
      () => new BatchNorm1d(3).train().call(zeros([1, 3])),
      "BatchNorm1d: input [1, 3] has one value for each channel; expected more in training mode",
      ShapeError,
    ],
    [
      () => new InstanceNorm1d(3, { trackRunningStats: true }).train().call(zeros([2, 3, 1])),
      "InstanceNorm1d: input [2, 3, 1] has one value for each channel of an example; expected more in " +
        "training mode",
      ShapeError,
    ],
    [
      () => new InstanceNorm1d(3, { momentum: -0.1 }),
      "InstanceNorm1d: momentum -0.1; expected a number from 0 to 1, or null",
      GradusError,
    ],
    [
      () => new BatchNorm1d(3, { momentum: 2 }),
      "BatchNorm1d: momentum 2; expected a number from 0 to 1, or null",
      GradusError,
    ],
    [
      () => new BatchNorm2d(3, { layout: "NWC" as never }),
      'BatchNorm2d: layout NWC; expected NCHW, NHWC. Did you mean "NHWC"?',
      GradusError,
    ],
    [
      () => new GroupNorm(4, 6),
      "GroupNorm: groups 4 for 6 channels; expected a divisor of 6",
      ShapeError,
    ],
    [
      () => new GroupNorm(2, 4).call(zeros([2, 6, 3])),
      "GroupNorm: weight [4]; expected [6]",
      ShapeError,
    ],
    [
      () => new LayerNorm(0),
      "LayerNorm: normalizedShape 0; expected an integer from 1, or several",
      ShapeError,
    ],
    [
      () => new LayerNorm(4).call(zeros([2, 5])),
      "LayerNorm: input [2, 5]; expected […, 4]",
      ShapeError,
    ],
    [
      () => new RMSNorm(4, { bias: true } as never),
      'RMSNorm: unknown option "bias"; expected epsilon, device, dtype, elementwiseAffine',
      GradusError,
    ],
    [
      () => new LocalResponseNorm(0).call(zeros([2, 3])),
      "LocalResponseNorm: size 0; expected an integer from 1",
      GradusError,
    ],
    [
      () => new InstanceNorm2d(3, { epsilon: -1 }),
      "InstanceNorm2d: epsilon -1; expected a finite number from 0",
      GradusError,
    ],
  ];
  for (const [call, says, Kind] of cases) {
    const error = errorOf(call);
    expect(error.message).toBe(says);
    expect(error.constructor).toBe(Kind);
  }
});
