import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";

/** What a convolution does on each axis, where x has so many elements before and after it. */
export interface DirectSettings {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

/** How many places a kernel has along an axis. */
export function placesAlong(n: number, size: number, i: number, settings: DirectSettings): number {
  const { stride, dilation, before, after } = settings;
  return Math.floor((n + before[i] + after[i] - dilation[i] * (size - 1) - 1) / stride[i]) + 1;
}

/** The shape of y for x `[n, channels, …]` and w `[outputs, channels / groups, …]`. */
export function directShape(x: Shape, w: Shape, settings: DirectSettings): Shape {
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
export function eachProduct(
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
