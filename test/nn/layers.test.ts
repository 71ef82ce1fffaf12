import { beforeAll, describe, expect, test } from "vitest";
import {
  GradusError,
  grad,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  ones,
  ShapeError,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import golden from "../fixtures/layers.json" with { type: "json" };
import { inBrowser, testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

const dtype = inBrowser ? "f32" : "f64";
const LIMIT = inBrowser ? 2e-5 : 1e-12;

interface Data {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
interface Golden {
  readonly inputs: readonly Data[];
  readonly states: Readonly<Record<string, Data>>;
  readonly output: Data;
  readonly gradients: readonly Data[];
}

const made = ({ values, shape }: Data) => tensor([...values], { shape: [...shape], dtype });

async function expectNear(x: Tensor, { values, shape }: Data): Promise<void> {
  expect(x.shape).toEqual(shape);
  const size = Math.max(1, ...values.map(Math.abs));
  for (const [i, y] of [...(await x.data())].entries()) {
    expect(Math.abs(Number(y) - values[i])).toBeLessThan(LIMIT * size);
  }
}

/** A module of one input or two. */
type AnyLayer = nn.Module | nn.Module<[a: Tensor, b: Tensor]>;

const TRACKED = { affine: true, trackRunningStats: true, momentum: 0.3, dtype } as const;
const two = [
  [0, 3],
  [1, 2],
] as const;
const three = [
  [0, 2],
  [2, 1],
  [1, 0],
] as const;

const LAYERS: Record<keyof typeof golden, () => AnyLayer> = {
  CELU: () => new nn.CELU(1.5),
  SELU: () => new nn.SELU(),
  Mish: () => new nn.Mish(),
  Softsign: () => new nn.Softsign(),
  Tanhshrink: () => new nn.Tanhshrink(),
  ReLU6: () => new nn.ReLU6(),
  Hardsigmoid: () => new nn.Hardsigmoid(),
  Hardswish: () => new nn.Hardswish(),
  Hardtanh: () => new nn.Hardtanh(-1, 2),
  Hardshrink: () => new nn.Hardshrink(0.7),
  Softshrink: () => new nn.Softshrink(0.7),
  Threshold: () => new nn.Threshold(0.3, -2),
  Softmin: () => new nn.Softmin(1),
  GLU: () => new nn.GLU(1),
  PReLU: () => new nn.PReLU(1, { dtype }),
  "PReLU of channels": () => new nn.PReLU(4, { init: 0.1, dtype }),
  Unflatten: () => new nn.Unflatten(1, [2, 2]),
  ConstantPad1d: () => new nn.ConstantPad1d([[1, 2]], -1.5),
  ConstantPad2d: () => new nn.ConstantPad2d(two, -1.5),
  ConstantPad3d: () => new nn.ConstantPad3d(three, -1.5),
  ZeroPad1d: () => new nn.ZeroPad1d([[1, 2]]),
  ZeroPad2d: () => new nn.ZeroPad2d(two),
  ZeroPad3d: () => new nn.ZeroPad3d(three),
  ReflectionPad1d: () => new nn.ReflectionPad1d([[1, 2]]),
  ReflectionPad2d: () => new nn.ReflectionPad2d(two),
  ReflectionPad3d: () => new nn.ReflectionPad3d(three),
  ReplicationPad1d: () => new nn.ReplicationPad1d([[1, 2]]),
  ReplicationPad2d: () => new nn.ReplicationPad2d(two),
  ReplicationPad3d: () => new nn.ReplicationPad3d(three),
  CircularPad1d: () => new nn.CircularPad1d([[1, 2]]),
  CircularPad2d: () => new nn.CircularPad2d(two),
  CircularPad3d: () => new nn.CircularPad3d(three),
  MaxUnpool1d: () => unpooled(maxPool1d, new nn.MaxUnpool1d(2, { outputSize: 5 })),
  MaxUnpool2d: () => unpooled(maxPool2d, new nn.MaxUnpool2d(2, { outputSize: [5, 4] })),
  MaxUnpool3d: () => unpooled(maxPool3d, new nn.MaxUnpool3d(2, { outputSize: [3, 4, 3] })),
  LPPool1d: () => new nn.LPPool1d(4, 2, { stride: 1 }),
  LPPool2d: () => new nn.LPPool2d(4, 2, { stride: 1 }),
  "Upsample by 2": () => new nn.Upsample({ scaleFactor: 2 }),
  "Upsample to a size": () => new nn.Upsample({ size: [7, 9], mode: "bilinear" }),
  "Upsample by two factors": () =>
    new nn.Upsample({ scaleFactor: [3, 1.5], mode: "bicubic", alignCorners: true }),
  PixelShuffle: () => new nn.PixelShuffle(2),
  PixelUnshuffle: () => new nn.PixelUnshuffle(2),
  Bilinear: () => new nn.Bilinear(3, 4, 2, { dtype }),
  "Bilinear without bias": () => new nn.Bilinear(3, 4, 2, { dtype, bias: false }),
  Unfold: () => new nn.Unfold([3, 2], { dilation: [1, 2], padding: 1, stride: [2, 1] }),
  Fold: () => new nn.Fold([5, 4], [3, 2], { dilation: [1, 2], padding: 1, stride: [2, 1] }),
  "RReLU in evaluation": () => new nn.RReLU(0.2, 0.7),
  "RReLU of one slope": () => new nn.RReLU(0.3, 0.3, { seed: 1 }).train(),
  "InstanceNorm1d in evaluation": () => new nn.InstanceNorm1d(2, TRACKED),
  "InstanceNorm2d in evaluation": () => new nn.InstanceNorm2d(2, TRACKED),
  "InstanceNorm3d in evaluation": () => new nn.InstanceNorm3d(2, TRACKED),
  "Flatten of two axes": () => new nn.Flatten(1, -2),
  CosineSimilarity: () => new nn.CosineSimilarity(),
  PairwiseDistance: () => new nn.PairwiseDistance(),
  "PairwiseDistance of order 1": () =>
    new nn.PairwiseDistance({ order: 1, epsilon: 1e-3, keepDims: true }),
};

/** A pooling and what takes it back. */
function unpooled(
  pool: (
    x: Tensor,
    size: number,
    options: { returnIndices: true },
  ) => { values: Tensor; indices: Tensor },
  unpool: nn.Module<[x: Tensor, indices: Tensor]>,
): nn.Module {
  class Unpooled extends nn.Module {
    override forward(x: Tensor): Tensor {
      const { values, indices } = pool(x, 2, { returnIndices: true });
      return unpool.call(values, indices);
    }
  }
  return new Unpooled();
}

test.each(Object.entries<Golden>(golden))("as PyTorch: %s", async (name, given) => {
  using layer = LAYERS[name as keyof typeof golden]();
  const states = new Map(Object.entries(given.states).map(([key, x]) => [key, made(x)]));
  nn.loadState(layer as nn.Module, states, { from: "pytorch" });
  const inputs = given.inputs.map(made);
  const y = layer.call(...(inputs as [Tensor, Tensor]));
  const slopes = grad(sum(square(y)), inputs);
  await expectNear(y, given.output);
  for (const [i, g] of slopes.entries()) await expectNear(g, given.gradients[i]);
});

test("layers whose channels come last pad and resize the same pixels", async () => {
  const x = tensor(
    Array.from({ length: 24 }, (_, i) => i),
    { shape: [1, 2, 3, 4] },
  );
  const last = x.transpose(1, 2).transpose(2, 3);
  for (const [first, other] of [
    [new nn.ReflectionPad2d(1), new nn.ReflectionPad2d(1, { layout: "NHWC" })],
    [new nn.Upsample({ scaleFactor: 2 }), new nn.Upsample({ scaleFactor: 2, layout: "NHWC" })],
    [new nn.PReLU(2), new nn.PReLU(2, { axis: -1 })],
  ]) {
    const y = other.call(last).transpose(2, 3).transpose(1, 2);
    expect(await y.toArray()).toEqual(await first.call(x).toArray());
  }
  // Without n, too.
  expect(
    new nn.ZeroPad2d([
      [1, 0],
      [0, 2],
    ]).call(zeros([3, 4, 5])).shape,
  ).toEqual([3, 5, 7]);
});

test("LPPool3d takes the norm of each window", async () => {
  const x = tensor([1, -2, 2, 4, 0, 3, -1, 1], { shape: [1, 1, 2, 2, 2] });
  expect(await new nn.LPPool3d(2, 2).call(x).item()).toBe(6);
});

test("CosineSimilarity takes vectors of the shape that both broadcast to", async () => {
  const cosine = new nn.CosineSimilarity();
  const [a, b] = [tensor([[1, 2, 2]], { dtype }), tensor([[-2]], { dtype })];
  // (1 + 2 + 2)·(−2) / (3 · √12)
  expect(await cosine.call(a, b).item()).toBeCloseTo(-5 / 3 / Math.sqrt(3), 6);
  expect(await cosine.call(b, a).item()).toBeCloseTo(-5 / 3 / Math.sqrt(3), 6);
  expect(await cosine.call(ones([2, 1, 3]), ones([4, 3])).toArray()).toHaveLength(2);
  const wide = await cosine.call(ones([2, 4, 3]), tensor([3, 0, 0])).data();
  // Axis 1 is that of four equal elements: ±1, and 0 for zeros.
  expect([...wide].map((x) => Math.round(Number(x) * 1e6) / 1e6)).toEqual([1, 0, 0, 1, 0, 0]);
});

describe("what does not fit is refused by the layer's name", () => {
  const any = (x: unknown) => x as never;
  test.each<[string, () => unknown, string, typeof GradusError?]>([
    ["alpha", () => new nn.CELU(0), "CELU: alpha 0; expected a finite number above 0"],
    [
      "lambda",
      () => new nn.Softshrink(-1),
      "Softshrink: lambda -1; expected a finite number from 0",
    ],
    ["limits", () => new nn.Hardtanh(2, 1), "Hardtanh: low 2, high 1; expected low ≤ high"],
    [
      "no value",
      () => new nn.Threshold(1, any(undefined)),
      "Threshold: value undefined; expected a finite number",
    ],
    ["axis", () => new nn.GLU(0.5), "GLU: axis 0.5; expected an integer"],
    [
      "channels",
      () => new nn.PReLU(3).call(ones([2, 4])),
      "PReLU: input [2, 4]; expected 3 channels on axis 1",
      ShapeError,
    ],
    [
      "slopes",
      () => new nn.PReLU(1, { init: Number.NaN }),
      "PReLU: init NaN; expected a finite number",
    ],
    [
      "padding",
      () => new nn.ZeroPad2d([1, 2, 3]),
      "ZeroPad2d: padding [1,2,3] for axes [0, 1]; expected an integer from 0, or one or a pair " +
        "[before, after] for each",
      ShapeError,
    ],
    [
      "no value to pad with",
      () => new nn.ConstantPad1d(1, any("x")),
      'ConstantPad1d: value "x"; expected a number',
    ],
    [
      "axes",
      () => new nn.ReflectionPad1d(1).call(ones([2])),
      "ReflectionPad1d: input [2]; expected the 3 axes of NCW, or those behind N",
      ShapeError,
    ],
    [
      "size and factor",
      () => new nn.Upsample({}),
      "Upsample: neither size nor scaleFactor; expected one of them",
    ],
    [
      "both",
      () => new nn.Upsample({ size: 2, scaleFactor: 2 }),
      "Upsample: size and scaleFactor; expected one of them",
    ],
    [
      "factor",
      () => new nn.Upsample({ scaleFactor: [2, 0] }),
      "Upsample: scaleFactor an array; expected a number above 0, or one for each axis",
    ],
    [
      "pixels",
      () => new nn.Upsample({ scaleFactor: 1.5 }).call(ones([1, 1, 2, 3])),
      "Upsample: scaleFactor [1.5] of [1, 1, 2, 3]; expected a whole number of pixels. Give the size",
      ShapeError,
    ],
    [
      "blocks",
      () => new nn.PixelShuffle(0),
      "PixelShuffle: factor 0; expected a positive integer",
      ShapeError,
    ],
    ["power", () => new nn.LPPool2d(0, 2), "LPPool2d: power 0; expected a finite number above 0"],
    [
      "no indices",
      () => new nn.MaxUnpool2d(2).call(ones([1, 1, 2, 2]), any(undefined)),
      "MaxUnpool2d: input 1 is undefined; expected a tensor. Use tensor(value)",
    ],
    [
      "sizes",
      () => new nn.Unflatten(1, any(3)),
      "Unflatten: sizes 3; expected an array of integers",
    ],
    [
      "features",
      () => new nn.Bilinear(2, 0, 1),
      "Bilinear: in2Features 0; expected a positive integer",
      ShapeError,
    ],
    [
      "inputs",
      () => new nn.Bilinear(2, 3, 1).call(ones([4, 2]), ones([4, 2])),
      "Bilinear: inputs [4, 2] and [4, 2]; expected […, 2] and […, 3]",
      ShapeError,
    ],
    [
      "order",
      () => new nn.PairwiseDistance({ order: -1 }),
      "PairwiseDistance: order -1; expected a number from 0, Infinity or -Infinity",
    ],
    [
      "epsilon",
      () => new nn.CosineSimilarity({ epsilon: 0 }),
      "CosineSimilarity: epsilon 0; expected a finite number above 0",
    ],
  ])("%s", (_, call, message, Kind = GradusError) => {
    expect(call).toThrow(new Kind(message));
  });
});
