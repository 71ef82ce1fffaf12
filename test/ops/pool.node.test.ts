import { beforeAll, describe, expect, test } from "vitest";
import { randomBits } from "../../src/core/random.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type Device,
  evaluate,
  grad,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  type MaxPooled,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  maxUnpool2d,
  mul,
  permute,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { ownDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await ownDevice({ engine: "plain" });
});

type Pool = (x: Tensor, ...rest: unknown[]) => Tensor;
const maxPools = [maxPool1d, maxPool2d, maxPool3d] as unknown as ((
  x: Tensor,
  size: readonly number[],
  options: object,
) => MaxPooled)[];
const avgPools = [avgPool1d, avgPool2d, avgPool3d] as Pool[];
const lpPools = [lpPool1d, lpPool2d, lpPool3d] as Pool[];
const adaptiveAvgs = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d] as Pool[];
const adaptiveMaxes = [
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
] as unknown as (typeof maxPools)[number][];
const LAST = ["NWC", "NHWC", "NDHWC"];

/** A window along one axis: where in x its elements are, and how many elements count where it averages. */
interface Window {
  readonly at: readonly number[];
  readonly padded: number;
}

interface AxisWindows {
  readonly n: number;
  readonly windows: readonly Window[];
}

interface AxisSettings {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: number;
}

/** As PyTorch's documentation says: a window of ceilMode begins within x or what is before it. */
function windowsOf(n: number, one: AxisSettings, isCeil: boolean): AxisWindows {
  const { size, stride, dilation, padding } = one;
  const space = n + 2 * padding - dilation * (size - 1) - 1;
  let count = (isCeil ? Math.ceil(space / stride) : Math.floor(space / stride)) + 1;
  if (isCeil && (count - 1) * stride >= n + padding) count--;
  const windows = Array.from({ length: count }, (_, i) => {
    const all = Array.from({ length: size }, (_, k) => i * stride - padding + k * dilation);
    const padded = all.filter((at) => at < n + padding).length;
    return { at: all.filter((at) => at >= 0 && at < n), padded };
  });
  return { n, windows };
}

function rangesOf(n: number, outputs: number): AxisWindows {
  const windows = Array.from({ length: outputs }, (_, i) => {
    const [from, to] = [Math.floor((i * n) / outputs), Math.ceil(((i + 1) * n) / outputs)];
    const at = Array.from({ length: to - from }, (_, k) => from + k);
    return { at, padded: at.length };
  });
  return { n, windows };
}

/** What windows have, by loops. */
function byLoops(x: Float64Array, images: number, axes: readonly AxisWindows[], g: Float64Array) {
  const sizes = axes.map(({ n }) => n);
  const counts = axes.map(({ windows }) => windows.length);
  const strides = stridesOf(sizes);
  const outs = stridesOf(counts);
  const [plane, outPlane] = [sizeOf(sizes), sizeOf(counts)];
  const found = { max: [], indices: [], avg: [], own: [], norm: [] } as Record<string, number[]>;
  const [dMax, dAvg, dNorm] = [0, 0, 0].map(() => new Float64Array(x.length));
  for (let at = 0; at < images * outPlane; at++) {
    const base = Math.floor(at / outPlane) * plane;
    const windows = axes.map(({ windows }, i) => windows[Math.floor(at / outs[i]) % counts[i]]);
    const pixels = windows.reduce<number[]>(
      (all, { at }, i) => all.flatMap((p) => at.map((k) => p + k * strides[i])),
      [0],
    );
    const best = pixels.reduce((a, b) => (x[base + b] > x[base + a] ? b : a));
    const padded = windows.reduce((product, one) => product * one.padded, 1);
    const total = pixels.reduce((a, p) => a + x[base + p], 0);
    const norm = Math.cbrt(pixels.reduce((a, p) => a + Math.abs(x[base + p]) ** 3, 0));
    found.max.push(x[base + best]);
    found.indices.push(best);
    found.avg.push(total / padded);
    found.own.push(total / pixels.length);
    found.norm.push(norm);
    dMax[base + best] += g[at];
    for (const p of pixels) {
      const value = x[base + p];
      dAvg[base + p] += g[at] / padded;
      dNorm[base + p] += norm > 0 ? (g[at] * value * Math.abs(value)) / norm ** 2 : 0;
    }
  }
  return { ...found, counts, dMax, dAvg, dNorm } as Record<
    "max" | "indices" | "avg" | "own" | "norm",
    number[]
  > & {
    counts: number[];
    dMax: Float64Array;
    dAvg: Float64Array;
    dNorm: Float64Array;
  };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  const wrong = [...Array(expected.length).keys()].filter(
    (i) => !(Math.abs(actual[i] - expected[i]) <= 1e-12 * (1 + Math.abs(expected[i]))),
  );
  expect(wrong.slice(0, 3).map((i) => [i, actual[i], expected[i]])).toEqual([]);
}

/** Numbers of which many are equal, zeros too. */
const drawn = (size: number, salt: number) =>
  Float64Array.from(randomBits([3, salt], size), (word) => ((word >>> 8) % 7) - 3);

describe.each([1, 2, 3])("pooling along %i axes and its gradients", (rank) => {
  const axes = [...Array(rank).keys()].map((i) => i + 2);
  const first = (t: Tensor) => permute(t, 0, rank + 1, ...axes.map((i) => i - 1));
  const last = (t: Tensor) => permute(t, 0, ...axes, 1);

  test.each([...Array(14).keys()])("is that of loops: %i", async (seed) => {
    const words = randomBits([13, 100 * rank + seed], 64);
    let next = 0;
    const from = (low: number, high: number) => low + (words[next++] % (high - low + 1));
    const settings = axes.map((): AxisSettings => {
      const size = from(1, 4);
      const isApart = from(0, 2) === 0;
      const dilation = seed % 2 === 0 ? 1 : from(1, 2);
      const half = Math.floor((dilation * (size - 1) + 1) / 2);
      return {
        size,
        stride: isApart ? size + from(0, 1) : from(1, 3),
        dilation,
        padding: from(0, half),
      };
    });
    const isCeil = from(0, 1) === 1;
    const sizes = settings.map(({ size, dilation }) => dilation * (size - 1) + from(1, 5));
    const shape = [2, 2, ...sizes];
    const windows = settings.map((one, i) => windowsOf(sizes[i], one, isCeil));
    const counts = windows.map(({ windows }) => windows.length);
    const values = drawn(sizeOf(shape), seed);
    const cotangent = drawn(4 * sizeOf(counts), seed + 50);
    const want = byLoops(values, 4, windows, cotangent);
    const x = tensor(values, { shape, dtype: "f64", device });
    const g = tensor(cotangent, { shape: [2, 2, ...counts], dtype: "f64", device });
    const isLast = seed % 3 === 1;
    const of = (name: "size" | "stride" | "dilation" | "padding") =>
      settings.map((one) => one[name]);
    const options = {
      stride: of("stride"),
      padding: of("padding"),
      ceilMode: isCeil,
      ...(isLast && { layout: LAST[rank - 1] }),
    };
    const [input, back] = isLast ? [last(x), first] : [x, (t: Tensor) => t];
    const pooled = maxPools[rank - 1](input, of("size"), {
      ...options,
      dilation: of("dilation"),
      returnIndices: true,
    });
    const [max, indices] = [pooled.values, pooled.indices].map(back);
    const [dMax] = grad(sum(mul(max, g)), [x]);
    expect(max.shape).toEqual([2, 2, ...want.counts]);
    evaluate(max, indices, dMax);
    expect([...(await max.data())]).toEqual(want.max);
    expect([...(await indices.data())]).toEqual(want.indices);
    expectClose(await dMax.data(), want.dMax);
    if (settings.some(({ dilation }) => dilation > 1)) return;
    const avg = back(avgPools[rank - 1](input, of("size"), options));
    const own = back(avgPools[rank - 1](input, of("size"), { ...options, countIncludePad: false }));
    const norm = back(lpPools[rank - 1](input, 3, of("size"), options));
    const [dAvg, dNorm] = [avg, norm].map((y) => grad(sum(mul(y, g)), [x])[0]);
    evaluate(avg, own, norm, dAvg, dNorm);
    expectClose(await avg.data(), want.avg);
    expectClose(await own.data(), want.own);
    expectClose(await norm.data(), want.norm);
    expectClose(await dAvg.data(), want.dAvg);
    expectClose(await dNorm.data(), want.dNorm);
  });

  test.each([...Array(6).keys()])("to a size is that of loops: %i", async (seed) => {
    const words = randomBits([17, 100 * rank + seed], 64);
    const outputs = axes.map((_, i) => 1 + (words[i] % 4));
    const sizes = axes.map((_, i) =>
      seed % 2 === 0 ? outputs[i] * (1 + (words[8 + i] % 3)) : 1 + (words[8 + i] % 7),
    );
    const shape = [2, 3, ...sizes];
    const windows = sizes.map((n, i) => rangesOf(n, outputs[i]));
    const values = drawn(sizeOf(shape), seed);
    const cotangent = drawn(6 * sizeOf(outputs), seed + 50);
    const want = byLoops(values, 6, windows, cotangent);
    const x = tensor(values, { shape, dtype: "f64", device });
    const g = tensor(cotangent, { shape: [2, 3, ...outputs], dtype: "f64", device });
    const given = outputs.map((n, i) => (n === sizes[i] ? null : n)) as number[];
    const { values: max, indices } = adaptiveMaxes[rank - 1](x, given, { returnIndices: true });
    const avg = adaptiveAvgs[rank - 1](x, given);
    const [dMax, dAvg] = [max, avg].map((y) => grad(sum(mul(y, g)), [x])[0]);
    evaluate(max, indices, avg, dMax, dAvg);
    expect([...(await max.data())]).toEqual(want.max);
    expect([...(await indices.data())]).toEqual(want.indices);
    expectClose(await avg.data(), want.avg);
    expectClose(await dMax.data(), want.dMax);
    expectClose(await dAvg.data(), want.dAvg);
  });
});

test("unpooling puts values where they were, and gradients back", async () => {
  const shape: Shape = [2, 3, 7, 6];
  const x = tensor(drawn(sizeOf(shape), 1), { shape, dtype: "f64", device });
  const { values, indices } = maxPool2d(x, 2, { returnIndices: true });
  const y = maxUnpool2d(values, indices, 2, { outputSize: [7, 6] });
  const g = tensor(drawn(sizeOf(shape), 2), { shape, dtype: "f64", device });
  const [dx] = grad(sum(mul(y, g)), [values]);
  evaluate(y, indices, values, dx);
  const [put, at, own, gs, ds] = await Promise.all(
    [y, indices, values, g, dx].map(async (t) => [...(await t.data())]),
  );
  const want = new Array(put.length).fill(0);
  for (const [i, p] of at.entries()) {
    const place = Math.floor(i / 9) * 42 + p;
    want[place] = own[i];
    expect(ds[i]).toBe(gs[place]);
  }
  expect(put).toEqual(want);
});
