import { expect } from "vitest";
import { randomBits } from "../../src/core/random.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
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

/** What a convolution does on each axis, where x has so many elements before and after it. */
interface DirectSettings {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

/** How many places a kernel has along an axis. */
function placesAlong(n: number, size: number, i: number, settings: DirectSettings): number {
  const { stride, dilation, before, after } = settings;
  return Math.floor((n + before[i] + after[i] - dilation[i] * (size - 1) - 1) / stride[i]) + 1;
}

/** The shape of y for x `[n, channels, …]` and w `[outputs, channels / groups, …]`. */
function directShape(x: Shape, w: Shape, settings: DirectSettings): Shape {
  const own = w.slice(2).map((size, i) => placesAlong(x[2 + i], size, i, settings));
  return [x[0], w[0], ...own];
}

/** All indices of a shape, in order. */
function* indicesOf(shape: Shape): Generator<readonly number[]> {
  const strides = stridesOf(shape);
  for (let at = 0; at < sizeOf(shape); at++) {
    yield shape.map((n, i) => Math.floor(at / strides[i]) % n);
  }
}

/**
 * Visits each product of a convolution, by the definition: the places in x, w and y of
 * Σ x[n, c, s·i + d·k − before] · w[o, c, k] · y[n, o, i].
 */
function eachProduct(
  x: Shape,
  w: Shape,
  settings: DirectSettings,
  visit: (x: number, w: number, y: number) => void,
): void {
  const { stride, dilation, before, groups } = settings;
  const y = directShape(x, w, settings);
  const [xs, ws, ys] = [x, w, y].map(stridesOf);
  const place = (index: readonly number[], strides: readonly number[]) =>
    index.reduce((sum, i, axis) => sum + i * strides[axis], 0);
  for (const at of indicesOf(y)) {
    const [n, o, ...i] = at;
    const group = Math.floor(o / (w[0] / groups));
    for (const [c, ...k] of indicesOf(w.slice(1))) {
      const from = k.map(
        (one, axis) => stride[axis] * i[axis] + dilation[axis] * one - before[axis],
      );
      if (from.some((one, axis) => one < 0 || one >= x[2 + axis])) continue;
      visit(place([n, group * w[1] + c, ...from], xs), place([o, c, ...k], ws), place(at, ys));
    }
  }
}

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

export interface ConvolutionSizes {
  x: Shape;
  w: Shape;
  settings: DirectSettings;
  /** What is left over behind the last place. */
  rest: readonly number[];
}

/** Sizes and settings drawn at random. */
export function drawnSizes(rank: number, seed: number): ConvolutionSizes {
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
export async function compareConvolutions(
  device: Device,
  dtype: DType,
  bound: number,
  sizes: ConvolutionSizes,
  isLast = false,
) {
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
