import { beforeAll, describe, expect, test } from "vitest";
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  cast,
  GradusError,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  ones,
  randomNormal,
  ShapeError,
  type Tensor,
  zeros,
} from "../../src/index.ts";
import {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
} from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

beforeAll(async () => {
  await testDevice();
});

test("layers of pooling compute what the functions do, along as many axes as they say", async () => {
  const x = randomNormal([2, 3, 9, 8], { seed: 1 });
  const options = { stride: 2, padding: 1, ceilMode: true };
  const pairs: [Tensor, Tensor][] = [
    [new MaxPool2d(3, options).call(x), maxPool2d(x, 3, options)],
    [new AvgPool2d([2, 3], options).call(x), avgPool2d(x, [2, 3], options)],
    [new AdaptiveAvgPool2d([3, null]).call(x), adaptiveAvgPool2d(x, [3, null])],
    [new AdaptiveMaxPool2d(2).call(x), adaptiveMaxPool2d(x, 2)],
  ];
  for (const [own, wanted] of pairs) expect(await own.toArray()).toEqual(await wanted.toArray());
  const of = (rank: number) => zeros([2, 3, ...[4, 6, 8].slice(3 - rank)]);
  const shapes = [
    [new MaxPool1d(2), new AvgPool1d(2), new AdaptiveAvgPool1d(4), new AdaptiveMaxPool1d(4)],
    [new MaxPool2d(2), new AvgPool2d(2), new AdaptiveAvgPool2d([3, 4])],
    [new MaxPool3d(2), new AvgPool3d(2), new AdaptiveAvgPool3d([2, 3, 4])],
    [new AdaptiveMaxPool3d([2, 3, 4])],
  ];
  for (const [i, layers] of shapes.entries()) {
    const rank = Math.min(3, i + 1);
    for (const layer of layers) {
      expect(layer.call(of(rank)).shape).toEqual([2, 3, ...[2, 3, 4].slice(3 - rank)]);
    }
  }
  expect(new MaxPool1d(2, { layout: "NWC" }).call(zeros([1, 8, 3])).shape).toEqual([1, 4, 3]);
});

test("layers of maxima say where these are, and others put them there, to the size of a call", async () => {
  const options = { padding: 1, returnIndices: true } as const;
  const rows = [
    [
      new MaxPool1d(2, options),
      new MaxUnpool1d(2, { padding: 1 }),
      (x: Tensor) => maxPool1d(x, 2, options),
    ],
    [
      new MaxPool2d(2, options),
      new MaxUnpool2d(2, { padding: 1 }),
      (x: Tensor) => maxPool2d(x, 2, options),
    ],
    [
      new MaxPool3d(2, options),
      new MaxUnpool3d(2, { padding: 1 }),
      (x: Tensor) => maxPool3d(x, 2, options),
    ],
  ] as const;
  for (const [i, [pool, unpool, compute]] of rows.entries()) {
    const x = randomNormal([2, 3, ...[4, 7, 5].slice(2 - i)], { seed: i });
    const { values, indices } = pool.call(x);
    const wanted = compute(x);
    expect(await values.toArray()).toEqual(await wanted.values.toArray());
    expect(await indices.toArray()).toEqual(await wanted.indices.toArray());
    const back = unpool.call(values, indices, x.shape.slice(2));
    expect(back.shape).toEqual(x.shape);
    const [given, found] = await Promise.all([x.data(), back.data()]);
    expect([...found].every((y, k) => y === 0 || y === given[k])).toBe(true);
    expect([...found].filter((y) => y !== 0)).toHaveLength(values.size);
  }
  const x = randomNormal([1, 2, 6, 5], { seed: 7 });
  for (const size of [2, [3, 2]]) {
    const { values, indices } = new AdaptiveMaxPool2d(size, { returnIndices: true }).call(x);
    const [found, where, given] = await Promise.all([values.data(), indices.data(), x.data()]);
    const channel = values.size / 2;
    expect([...found]).toEqual(
      [...where].map((place, k) => given[30 * Math.floor(k / channel) + place]),
    );
  }
});

describe("whole channels", () => {
  test.each([
    [() => new Dropout1d(0.5, { seed: 3 }), [40, 50, 7], [2]],
    [() => new Dropout2d(0.5, { seed: 3 }), [40, 50, 3, 4], [2, 3]],
    [() => new Dropout2d(0.5, { seed: 3, layout: "NHWC" }), [40, 3, 4, 50], [1, 2]],
    [() => new Dropout3d(0.5, { seed: 3 }), [40, 50, 2, 2, 2], [2, 3, 4]],
    [() => new Dropout2d(0.5, { seed: 3 }), [2000, 3, 4], [1, 2]],
  ])("are dropped, and the others scaled: %#", async (make, shape, axis) => {
    const layer = make();
    const x = ones(shape);
    expect(layer.call(x)).toBe(x);
    const y = layer.train().call(x);
    const [low, high] = [y.mul(-1), y].map((z) => z.sum({ axis }));
    const size = axis.reduce((product, a) => product * shape[a], 1);
    const sums = [...(await high.data())];
    expect(new Set(sums)).toEqual(new Set([0, 2 * size]));
    expect(sums.filter((n) => n === 0).length / sums.length).toBeCloseTo(0.5, 1);
    expect([...(await low.data())].map((n) => 0 - n)).toEqual(sums);
    expect(await layer.step.item()).toBe(1);
  });
});

test("what does not fit is refused with the layer's name", () => {
  const cases: [() => unknown, string, typeof GradusError][] = [
    [
      () => new MaxPool2d(2, { returnIndices: "false" } as never),
      'MaxPool2d: returnIndices "false"; expected true or false',
      GradusError,
    ],
    [
      () => new MaxUnpool2d(2).call(zeros([1, 1, 2, 2]), cast(zeros([1, 1, 2, 2]), "i32"), [6, 4]),
      "MaxUnpool2d: outputSize 6 along axis 2 of [1, 1, 2, 2]; expected 4, or less than 2 from it",
      ShapeError,
    ],
    [
      () => new MaxPool2d(0).call(zeros([1, 1, 2, 2])),
      "MaxPool2d: size 0 for axes [2, 3]; expected an integer from 1, or one for each",
      ShapeError,
    ],
    [
      () => new AvgPool1d(3).call(zeros([1, 1, 2])),
      "AvgPool1d: a window of 3, dilation 1, spans 3 elements of axis 2 of [1, 1, 2]; expected at " +
        "most 2",
      ShapeError,
    ],
    [
      () => new AdaptiveMaxPool2d(1).call(zeros([3])),
      "AdaptiveMaxPool2d: input [3]; expected the 4 axes of NCHW, or those behind N",
      ShapeError,
    ],
    [
      () => new Dropout2d(1),
      "Dropout2d: rate 1; expected a number from 0 and below 1",
      GradusError,
    ],
    [
      () => new Dropout2d().train().call(zeros([3, 3])),
      "Dropout2d: input [3, 3]; expected 4 axes, or 3 without n",
      ShapeError,
    ],
  ];
  for (const [call, says, Kind] of cases) {
    const error = errorOf(call);
    expect(error.message).toBe(says);
    expect(error.constructor).toBe(Kind);
  }
});
