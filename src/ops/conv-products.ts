/*
 * Convolutions are one sum of three factors, T = Σ x[n, c, s·i + d·k − p] · w[o, c, k] · y[n, o, i], of
 * which a convolution sums over the places of x and w, its adjoints over those of the others. The
 * gradients of each are the other two, so that there are gradients of any order.
 *
 * Each is a view and a product of matrices, which no device stores as windows of the whole batch. What
 * computes it has channels last; what it gives lies in memory so.
 */
import { sizeOf } from "../core/shape.ts";
import { customGrad } from "../graph/custom-grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { inShape, withAxes } from "./reshape.ts";
import { embed, slice } from "./slice.ts";
import { spanOf } from "./sliding.ts";
import { windows } from "./windows.ts";

/** What a convolution does along one axis. */
export interface ConvAxis {
  /** Elements of x, of the kernel w and of y. */
  readonly input: number;
  readonly size: number;
  readonly output: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before x. */
  readonly before: number;
}

type ConvAxes = readonly ConvAxis[];

/** Gives y of x `[g, n, …inputs, c]` and w `[g, …sizes, c, o]`, and adds b `[g, o]`: `[g, n, …outputs, o]`. */
export function convolved(x: Tensor, w: Tensor, b: Tensor | null, axes: ConvAxes): Tensor {
  const image = customGrad(
    (x, w) => {
      const [groups, ...sizes] = w.shape;
      const outputs = sizes[axes.length + 1];
      const depth = sizeOf(sizes) / Math.max(1, outputs);
      const seen = placesOf(x, axes);
      const y = product(inRows(seen, 2 + axes.length), inShape(w, [groups, depth, outputs]));
      return inShape(y, [...seen.shape.slice(0, 2 + axes.length), outputs]);
    },
    (g, _, x, w) => [convolvedBack(g, w, axes), kernelOf(x, g, axes)],
  );
  const y = image(x, w);
  if (!b) return y;
  const [groups, outputs] = b.shape;
  return add(y, inShape(b, [groups, ...new Array(1 + axes.length).fill(1), outputs]));
}

/** Gives x of y `[g, n, …outputs, o]` and w `[g, …sizes, c, o]`: `[g, n, …inputs, c]`. */
export function convolvedBack(y: Tensor, w: Tensor, axes: ConvAxes): Tensor {
  return customGrad(
    (y: Tensor, w: Tensor) => turnedAround(y, w, axes),
    (g, _, y, w) => [convolved(g, w, null, axes), kernelOf(g, y, axes)],
  )(y, w);
}

/** Gives w of x `[g, n, …inputs, c]` and y `[g, n, …outputs, o]`: `[g, …sizes, c, o]`. */
function kernelOf(x: Tensor, y: Tensor, axes: ConvAxes): Tensor {
  return customGrad(
    (x: Tensor, y: Tensor) => {
      const rank = axes.length;
      const seen = placesOf(x, axes); // [g, n, …outputs, …sizes, c]
      const [groups] = seen.shape;
      const [own, inner] = [seen.shape.slice(2 + rank), seen.shape.slice(1, 2 + rank)];
      const turned = withAxes(seen, [
        0,
        ...own.map((_, i) => 2 + rank + i),
        ...inner.map((_, i) => 1 + i),
      ]);
      const outputs = y.shape[2 + rank];
      const w = product(inRows(turned, 2 + rank), inShape(y, [groups, sizeOf(inner), outputs]));
      return inShape(w, [groups, ...own, outputs]);
    },
    (g, _, x, y) => [convolvedBack(y, g, axes), convolved(x, g, null, axes)],
  )(x, y);
}

/** Views x `[g, n, …inputs, c]` as what each place is computed of: `[g, n, …outputs, …sizes, c]`. */
function placesOf(x: Tensor, axes: ConvAxes): Tensor {
  return windowsOver(
    x,
    axes.map(({ output, before, ...own }) => {
      const length = own.stride * (output - 1) + spanOf(own);
      return { ...own, length, start: before, step: 1 };
    }),
  );
}

/** Where elements of an axis lie among zeros, and the windows that slide over it. */
interface WindowedAxis {
  /** How long it is with its zeros, where its first element lies, and how far the others behind. */
  readonly length: number;
  readonly start: number;
  readonly step: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

/** Windows of `[g, n, …, c]`, with their axes before the channels: `[g, n, …places, …sizes, c]`. */
function windowsOver(x: Tensor, axes: readonly WindowedAxis[]): Tensor {
  const rank = axes.length;
  const of = (get: (axis: WindowedAxis) => number) => axes.map(get);
  const isWhole = axes.every(({ length, start, step, stride }, i) => {
    const rest = x.shape[2 + i] - length; // which windows leave out
    return start === 0 && step === 1 && rest >= 0 && rest < stride;
  });
  const [groups, n] = x.shape;
  const shape = [groups, n, ...of(({ length }) => length), x.shape[2 + rank]];
  const start = [0, 0, ...of(({ start }) => start), 0];
  const step = [1, 1, ...of(({ step }) => step), 1];
  const placed = isWhole ? x : embed(x, shape, start, step);
  const view = windows(
    placed,
    of(({ size }) => size),
    {
      axis: axes.map((_, i) => 2 + i),
      stride: of(({ stride }) => stride),
      dilation: of(({ dilation }) => dilation),
    },
  );
  const order = [...view.shape.keys()];
  order.push(...order.splice(2 + rank, 1)); // channels
  return withAxes(view, order);
}

/** How x is found from y along one axis. */
interface Transposition {
  /** x[s·(first + q) + r − before] = Σ_t y[first + q − d·t] · w[r + s·t]: so many q, and so many t. */
  readonly first: number;
  readonly count: number;
  readonly taps: number;
  readonly phases: number;
  readonly dilation: number;
  /** What lies between y's elements, where strides and dilations meet: zeros, as many less one. */
  readonly spread: number;
}

function transposition({ input, size, stride, dilation, before }: ConvAxis): Transposition {
  const phases = dilation === 1 ? stride : 1;
  const first = Math.floor(before / phases);
  return {
    first,
    count: Math.ceil((input + before) / phases) - first,
    taps: Math.ceil(size / phases),
    phases,
    dilation,
    spread: stride / phases,
  };
}

/**
 * A convolution of y with w turned around. Of a stride s, x has s phases, each of a part of w: they
 * are so many channels, so that no zeros are multiplied but those that fill w up.
 */
function turnedAround(y: Tensor, w: Tensor, axes: ConvAxes): Tensor {
  const rank = axes.length;
  const all = axes.map(transposition);
  const seen = windowsOver(
    y,
    all.map(({ first, count, taps, dilation, spread }) => {
      const span = dilation * (taps - 1);
      const own = { length: count + span, start: span - first, step: spread };
      return { ...own, size: taps, stride: 1, dilation };
    }),
  ); // [g, n, …counts, …taps, o]
  const [counts, taps, phases] = (["count", "taps", "phases"] as const).map((name) =>
    all.map((one) => one[name]),
  );
  const [groups, n] = y.shape;
  const [channels, outputs] = w.shape.slice(1 + rank);
  const depth = sizeOf(taps) * outputs;
  const kernel = inShape(phased(w, taps, phases), [groups, depth, sizeOf(phases) * channels]);
  const sums = product(inRows(seen, 2 + rank), kernel);
  const apart = inShape(sums, [groups, n, ...counts, ...phases, channels]);
  const order = [0, 1, ...all.flatMap((_, i) => [2 + i, 2 + rank + i]), 2 + 2 * rank];
  const lengths = counts.map((count, i) => count * phases[i]);
  const joined = inShape(withAxes(apart, order), [groups, n, ...lengths, channels]);
  const cut = axes.map(({ before, input }, i) => {
    const start = before - all[i].first * phases[i];
    return { start, end: start + input };
  });
  const isWhole = cut.every(({ start, end }, i) => start === 0 && end === lengths[i]);
  return isWhole ? joined : slice(joined, [{}, {}, ...cut]);
}

/** Turns w `[g, …sizes, c, o]` around and cuts it into phases: `[g, …taps, o, …phases, c]`. */
function phased(w: Tensor, taps: readonly number[], phases: readonly number[]): Tensor {
  const rank = taps.length;
  const [groups, ...rest] = w.shape;
  const [channels, outputs] = rest.slice(rank);
  const lengths = taps.map((count, i) => count * phases[i]);
  const isFull = lengths.every((length, i) => length === rest[i]);
  const zeros = new Array(rank + 3).fill(0);
  const full = isFull
    ? w
    : embed(
        w,
        [groups, ...lengths, channels, outputs],
        zeros,
        zeros.map(() => 1),
      );
  const split = inShape(full, [
    groups,
    ...taps.flatMap((count, i) => [count, phases[i]]),
    channels,
    outputs,
  ]);
  const turned = taps.some((count) => count > 1)
    ? slice(split, [{}, ...taps.flatMap(() => [{ step: -1 }, {}])])
    : split;
  const places = (offset: number) => taps.map((_, i) => 1 + 2 * i + offset);
  return withAxes(turned, [0, ...places(0), 2 + 2 * rank, ...places(1), 1 + 2 * rank]);
}

/** Joins the axes of a matrix's rows, all from the second to before `end`, and those of its columns. */
function inRows(x: Tensor, end: number): Tensor {
  const { shape } = x;
  return inShape(x, [shape[0], sizeOf(shape.slice(1, end)), sizeOf(shape.slice(end))]);
}

/** Fewer rows or columns leave a product's tiles empty. */
const FEW = 4;
/** Sums of no more products are written term by term. */
const FEW_TERMS = 32;

/** y[g, m, n] = Σ_k a[g, m, k] · b[g, k, n]. */
function product(a: Tensor, b: Tensor): Tensor {
  const [groups, m, k] = a.shape;
  const n = b.shape[2];
  if (groups === 1) return inShape(matmul(inShape(a, [m, k]), inShape(b, [k, n])), [1, m, n]);
  if (Math.min(m, n) >= FEW) return matmul(a, b);
  // As with a kernel for each channel. Channels lie last.
  const left = inShape(withAxes(a, [1, 0, 2]), [m, groups, 1, k]);
  const right = withAxes(b, [0, 2, 1]); // [groups, n, k]
  return withAxes(sumOfProducts(left, right), [1, 0, 2]);
}

/** Sums products over the last axis. */
function sumOfProducts(a: Tensor, b: Tensor): Tensor {
  const count = a.shape[a.rank - 1];
  if (count === 0 || count > FEW_TERMS) return sum(mul(a, b), { axis: -1 });
  const terms = Array.from({ length: count }, (_, k) => {
    const [x, y] = [a, b].map((one) => {
      const part = slice(one, [...Array(one.rank - 1).fill({}), { start: k, end: k + 1 }]);
      return inShape(part, one.shape.slice(0, -1));
    });
    return mul(x, y);
  });
  return terms.reduce((x, y) => add(x, y));
}
