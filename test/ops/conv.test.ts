import { beforeAll, describe, expect, test } from "vitest";
import { randomBits } from "../../src/core/random.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type Device,
  type DType,
  evaluate,
  grad,
  mul,
  permute,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { ownDevice, testDevice } from "../support/device.ts";
import {
  type DirectSettings,
  directShape,
  eachProduct,
  placesAlong,
} from "../support/direct-convolution.ts";

let plain: Device;
let tested: Device;
beforeAll(async () => {
  tested = await testDevice();
  plain = await ownDevice({ engine: "plain" });
});

const convs = [conv1d, conv2d, conv3d] as ((x: Tensor, w: Tensor, options: object) => Tensor)[];
const transposes = [convTranspose1d, convTranspose2d, convTranspose3d] as typeof convs;
const LAST = ["NWC", "NHWC", "NDHWC"];

const drawn = (shape: Shape, salt: number) =>
  Float64Array.from(randomBits([7, salt], sizeOf(shape)), (word) => (word >>> 8) / 2 ** 23 - 1);

/** The outer product of values, of which three are x, w and y: what T is of them, and of cotangents. */
function byDefinition(x: Shape, w: Shape, settings: DirectSettings, values: Float64Array[]) {
  const [a, b, c] = values;
  const found = values.map(({ length }) => new Float64Array(length));
  eachProduct(x, w, settings, (i, j, k) => {
    found[0][i] += b[j] * c[k];
    found[1][j] += a[i] * c[k];
    found[2][k] += a[i] * b[j];
  });
  return found;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  expect(actual.length).toBe(expected.length);
  const wrong = [...Array(expected.length).keys()].filter(
    (i) => !(Math.abs(actual[i] - expected[i]) <= bound * (1 + Math.abs(expected[i]))),
  );
  expect(wrong.slice(0, 3).map((i) => [i, actual[i], expected[i]])).toEqual([]);
}

interface Sizes {
  x: Shape;
  w: Shape;
  settings: DirectSettings;
  /** What is left over behind the last place. */
  rest: readonly number[];
}

/** Sizes and settings drawn at random. */
function drawnSizes(rank: number, seed: number): Sizes {
  const words = randomBits([11, seed], 64);
  let at = 0;
  const from = (low: number, high: number) => low + (words[at++] % (high - low + 1));
  const each = (low: number, high: number) => Array.from({ length: rank }, () => from(low, high));
  const groups = from(1, 3);
  const own = from(1, 3);
  const outputs = groups * from(1, rank === 1 ? 5 : 2);
  const kernel = each(1, rank === 3 ? 2 : 4);
  const [stride, dilation] = [each(1, 3), each(1, 2)];
  const [before, after] = [each(0, 3), each(0, 3)];
  const settings = { stride, dilation, before, after, groups };
  const places = each(1, rank === 3 ? 2 : 4);
  const rest = stride.map((s) => from(0, s - 1));
  const inputs = places.map((count, i) => {
    const least = stride[i] * (count - 1) + dilation[i] * (kernel[i] - 1) + 1;
    return Math.max(1, least - before[i] - after[i] + rest[i]);
  });
  const x = [from(1, 2), groups * own, ...inputs];
  const w = [outputs, own, ...kernel];
  const left = inputs.map((n, i) => {
    const span = dilation[i] * (kernel[i] - 1) + 1;
    const count = placesAlong(n, kernel[i], i, settings);
    return n + before[i] + after[i] - stride[i] * (count - 1) - span;
  });
  return { x, w, settings, rest: left };
}

/** The values and gradients of a convolution and of a transposed one, beside those by definition. */
async function compare(device: Device, dtype: DType, bound: number, sizes: Sizes, isLast = false) {
  const { x, w, settings, rest } = sizes;
  const { stride, dilation, before, after, groups } = settings;
  const rank = x.length - 2;
  const y = directShape(x, w, settings);
  const shapes = [x, w, y];
  const values = shapes.map(drawn);
  const wanted = byDefinition(x, w, settings, values);
  const [a, b, c] = shapes.map((shape, i) => tensor(values[i], { shape, device, dtype }));
  const padding = before.map((n, i) => [n, after[i]]);
  const shared = { stride, dilation, padding, groups, ...(isLast && { layout: LAST[rank - 1] }) };
  const axes = [...Array(rank).keys()].map((i) => i + 2);
  const given = (t: Tensor) => (isLast ? permute(t, 0, ...axes, 1) : t);
  const back = (t: Tensor) => (isLast ? permute(t, 0, rank + 1, ...axes.map((i) => i - 1)) : t);
  const forward = back(convs[rank - 1](given(a), b, shared));
  const backward = back(transposes[rank - 1](given(c), b, { ...shared, outputPadding: rest }));
  expect(forward.shape).toEqual(y);
  expect(backward.shape).toEqual(x);
  const ofForward = grad(sum(mul(forward, c)), [a, b]);
  const ofBackward = grad(sum(mul(backward, a)), [c, b]);
  const found = [forward, backward, ...ofForward, ...ofBackward];
  evaluate(...found);
  const expected = [2, 0, 0, 1, 2, 1].map((i) => wanted[i]);
  for (const [i, one] of found.entries()) expectClose(await one.data(), expected[i], bound);
}

const seed = Math.floor(Math.random() * 1e6);

test("convolutions of random sizes are those by definition on the device of the tests", async () => {
  for (let i = 0; i < 9; i++) {
    await compare(tested, "f32", 2e-5, drawnSizes(1 + (i % 3), seed + i), i % 2 === 1);
  }
});

describe.each([1, 2, 3])("convolutions along %i axes and their gradients", (rank) => {
  test.each([...Array(12).keys()])("are those by definition: %i", async (i) => {
    const sizes = drawnSizes(rank, 100 * rank + i);
    const isFit = sizes.rest.every((n, axis) => {
      return n < Math.max(sizes.settings.stride[axis], sizes.settings.dilation[axis]);
    });
    expect(isFit).toBe(true);
    await compare(plain, "f64", 1e-12, sizes, i % 3 === 2);
  });
});
