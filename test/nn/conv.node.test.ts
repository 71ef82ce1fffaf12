import { beforeAll, describe, expect, test } from "vitest";
import {
  conv2d,
  convTranspose2d,
  GradusError,
  grad,
  pad,
  randomNormal,
  ShapeError,
  sum,
  type Tensor,
  zeros,
} from "../../src/index.ts";
import {
  addLora,
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  constant,
  heUniform,
  loadState,
  ReLU,
  removeLora,
  Sequential,
} from "../../src/nn/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

beforeAll(async () => {
  await testDevice();
});

const drawn = (...shape: number[]) => randomNormal(shape, { seed: 5 });

test("layers own kernels of PyTorch's shapes and ranges", async () => {
  const own = { seed: 1, groups: 2 };
  const layers = [
    [new Conv1d(4, 6, 3, own), [6, 2, 3], 2 * 3],
    [new Conv2d(4, 6, [3, 5], own), [6, 2, 3, 5], 2 * 15],
    [new Conv3d(4, 6, 2, own), [6, 2, 2, 2, 2], 2 * 8],
    [new ConvTranspose1d(4, 6, 3, own), [4, 3, 3], 3 * 3],
    [new ConvTranspose2d(4, 6, [3, 5], own), [4, 3, 3, 5], 3 * 15],
    [new ConvTranspose3d(4, 6, 2, own), [4, 3, 2, 2, 2], 3 * 8],
  ] as const;
  for (const [layer, shape, fanIn] of layers) {
    expect([...layer.state().keys()]).toEqual(["weight", "bias"]);
    expect(layer.weight.shape).toEqual(shape);
    expect(layer.bias?.shape).toEqual([6]);
    const values = [...(await layer.weight.data()), ...((await layer.bias?.data()) ?? [])];
    const most = Math.max(...values.map(Math.abs));
    expect(most).toBeLessThanOrEqual((1 + 1e-6) / Math.sqrt(fanIn));
    expect(most).toBeGreaterThan(0.8 / Math.sqrt(fanIn));
  }
  expect(new Conv2d(1, 1, 3, { bias: false }).bias).toBe(null);
});

test("a slope makes He's variance smaller", async () => {
  const fans = { fanIn: 50, fanOut: 1, key: [1, 2] as [number, number] };
  const bounds = [0, 1, Math.sqrt(5)].map(async (slope) => {
    const values = await heUniform(slope)([20_000], fans).data();
    return Math.max(...values);
  });
  expectClose(
    await Promise.all(bounds),
    [6, 3, 1].map((n) => Math.sqrt(n / 50)),
    1e-3,
  );
});

test("layers compute what the functions do", async () => {
  const x = drawn(2, 4, 6, 5);
  const forward = new Conv2d(4, 3, [3, 2], { stride: 2, padding: "same", seed: 2 });
  const w = forward.weight;
  const bias = forward.bias as Tensor;
  expectClose(
    await forward.call(x).data(),
    [...(await conv2d(x, w, { bias, stride: 2, padding: "same" }).data())],
    1e-6,
  );
  const back = new ConvTranspose2d(4, 3, 3, { stride: 2, outputPadding: 1, bias: false, seed: 3 });
  expectClose(
    await back.call(x).data(),
    [...(await convTranspose2d(x, back.weight, { stride: 2, outputPadding: 1 }).data())],
    1e-6,
  );
  const wide = drawn(2, 4, 3, 2);
  const wanted = await convTranspose2d(wide, back.weight, {
    stride: 2,
    outputPadding: [0, 1],
  }).data();
  expectClose(await back.call(wide, [7, 6]).data(), [...wanted], 1e-6);
  expectClose(await addLora(back, { rank: 2 }).call(wide, [7, 6]).data(), [...wanted], 1e-6);
  removeLora(back);
  const last = new Conv1d(3, 2, 2, { layout: "NWC", weightInit: constant(1), bias: false });
  expect(await last.call(zeros([1, 4, 3]).add(1)).toArray()).toEqual([
    [
      [6, 6],
      [6, 6],
      [6, 6],
    ],
  ]);
});

describe.each(["reflect", "replicate", "circular"] as const)("around an image, %s", (mode) => {
  test("are its own elements", async () => {
    const x = drawn(2, 3, 4, 5);
    const w = drawn(2, 3, 3, 3);
    const edges = [
      [0, 0],
      [0, 0],
      [2, 2],
      [1, 2],
    ] as const;
    const wanted = conv2d(pad(x, edges, { mode }), w);
    const padding = [2, [1, 2]] as const;
    const y = conv2d(x, w, { padding, paddingMode: mode });
    const [own, other] = [y, wanted].map((z) => grad(sum(z.mul(z)), [x, w]));
    expectClose(await y.data(), [...(await wanted.data())], 1e-5);
    for (const [i, g] of own.entries())
      expectClose(await g.data(), [...(await other[i].data())], 1e-4);
  });
});

test("what does not fit is refused with the layer's name", () => {
  const layer = new Conv2d(3, 4, 3);
  const cases: [() => unknown, string, typeof GradusError][] = [
    [
      () => layer.call(zeros([2, 4, 9, 9])),
      "Conv2d: input [2, 4, 9, 9] of 4 channels; expected 3",
      ShapeError,
    ],
    [
      () => layer.call(zeros([3, 2, 9])),
      "Conv2d: a window of 3, dilation 1, spans 3 elements of axis 1 of [3, 2, 9]; expected at " +
        "most 2",
      ShapeError,
    ],
    [
      () => layer.call(zeros([5])),
      "Conv2d: input [5]; expected the 4 axes of NCHW, or those behind N",
      ShapeError,
    ],
    [
      () => new Conv2d(3, 4, 3, { groups: 2 }),
      "Conv2d: groups 2 for 3 channels; expected a divisor of 3",
      ShapeError,
    ],
    [
      () => new Conv3d(3, 4, [3, 3]),
      "Conv3d: kernelSize [3,3] for axes [0, 1, 2]; expected an integer from 1, or one for each",
      ShapeError,
    ],
    [() => new Conv1d(0, 4, 3), "Conv1d: inChannels 0; expected a positive integer", ShapeError],
    [
      () => new Conv1d(1, 4, 3, { strides: 2 } as never),
      'Conv1d: unknown option "strides"; expected bias, stride, padding, dilation, groups, layout, ' +
        "weightInit, biasInit, seed, key, device, dtype, paddingMode. Did you mean " +
        '"stride"?',
      GradusError,
    ],
    [
      () => new ConvTranspose1d(1, 4, 3, { paddingMode: "reflect" } as never),
      'ConvTranspose1d: unknown option "paddingMode"; expected bias, stride, padding, dilation, ' +
        "groups, layout, weightInit, biasInit, seed, key, device, dtype, outputPadding",
      GradusError,
    ],
    [
      () =>
        conv2d(zeros([1, 1, 3, 3]), zeros([1, 1, 3, 3]), { padding: 3, paddingMode: "reflect" }),
      "conv2d: 3 elements around 3 by paddingMode reflect; expected at most 2",
      ShapeError,
    ],
    [
      () => conv2d(zeros([1, 1, 3, 3]), zeros([1, 1, 3, 3]), { paddingMode: "zero" as never }),
      'conv2d: paddingMode zero; expected zeros, reflect, replicate, circular. Did you mean "zeros"?',
      GradusError,
    ],
  ];
  for (const [call, says, Kind] of cases) {
    const error = errorOf(call);
    expect(error.message).toBe(says);
    expect(error.constructor).toBe(Kind);
  }
});

test("a network of them is summed up, saved and loaded", async () => {
  const make = (seed: number) =>
    new Sequential(
      new Conv2d(1, 4, 3, { padding: 1, seed }),
      new ReLU(),
      new ConvTranspose2d(4, 2, 2, { stride: 2, seed: seed + 1 }),
    );
  const model = make(1);
  const summary = await model.summary({ inputShape: [2, 1, 6, 5], print: null });
  expect(summary.layers.map(({ outputShapes }) => outputShapes[0])).toEqual([
    [2, 4, 6, 5],
    [2, 4, 6, 5],
    [2, 2, 12, 10],
  ]);
  expect(summary.parameters).toBe(4 * 9 + 4 + 4 * 2 * 4 + 2);
  const other = make(5);
  loadState(other, model.state());
  const x = drawn(1, 1, 6, 5);
  expect(await other.call(x).data()).toEqual(await model.call(x).data());
});
