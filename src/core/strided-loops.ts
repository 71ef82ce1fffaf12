import { asIs, type NumericArray } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { isContiguous, type Strided } from "./strided.ts";

/** A loop over elements: how often, and how far each input advances each time. */
export interface Loop {
  readonly count: number;
  readonly strides: readonly number[];
}

/** Joins neighbouring axes that every input walks as one; outermost first. */
export function loopsOf(shape: Shape, inputs: readonly Strided[]): Loop[] {
  const loops: Loop[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const count = shape[axis];
    if (count === 1) continue;
    const strides = inputs.map((x) => x.strides[axis]);
    const outer = loops.at(-1);
    if (outer?.strides.every((stride, i) => stride === strides[i] * count)) {
      loops[loops.length - 1] = { count: outer.count * count, strides };
    } else {
      loops.push({ count, strides });
    }
  }
  return loops.length > 0 ? loops : [{ count: 1, strides: inputs.map(() => 0) }];
}

/** Computes `count` elements of y from `start`, inputs beginning at `at`. */
type Inner = (start: number, count: number, at: readonly number[]) => void;

/** Writes `y[i] = f(x₀[i], x₁[i], …)` for every element, row-major. */
export function mapStrided(
  f: (...values: number[]) => number,
  shape: Shape,
  inputs: readonly Strided[],
  y: NumericArray,
): void {
  runLoops(shape, inputs, (strides) => innerLoop(f, inputs, strides, y));
}

/** Runs an inner loop, made for the strides of the innermost axis, over all the outer ones. */
function runLoops(
  shape: Shape,
  views: readonly Strided[],
  make: (strides: readonly number[]) => Inner,
): void {
  if (sizeOf(shape) === 0) return;
  const loops = loopsOf(shape, views);
  const { count, strides } = loops[loops.length - 1];
  const inner = make(strides);
  const outer = loops.slice(0, -1);
  const at = views.map((x) => x.offset);
  const index = new Array<number>(outer.length).fill(0);
  for (let start = 0; ; start += count) {
    inner(start, count, at);
    let axis = outer.length - 1;
    for (; axis >= 0; axis--) {
      const loop = outer[axis];
      for (let j = 0; j < at.length; j++) at[j] += loop.strides[j];
      if (++index[axis] < loop.count) break;
      for (let j = 0; j < at.length; j++) at[j] -= loop.strides[j] * loop.count;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

function innerLoop(
  f: (...values: number[]) => number,
  inputs: readonly Strided[],
  strides: readonly number[],
  y: NumericArray,
): Inner {
  const [a, b, c] = inputs.map((x) => x.data);
  const [p, q, r] = strides;
  if (inputs.length === 1) return (start, count, at) => mapOne(f, y, start, count, a, at[0], p);
  if (inputs.length === 2) {
    return (start, count, at) => mapTwo(f, y, start, count, a, at[0], p, b, at[1], q);
  }
  if (inputs.length === 3) {
    return (start, count, at) => {
      for (let i = 0; i < count; i++) {
        y[start + i] = f(a[at[0] + i * p], b[at[1] + i * q], c[at[2] + i * r]);
      }
    };
  }
  return (start, count, at) => {
    for (let i = 0; i < count; i++) {
      y[start + i] = f(...inputs.map(({ data }, j) => data[at[j] + i * strides[j]]));
    }
  };
}

function mapOne(
  f: (a: number) => number,
  y: NumericArray,
  start: number,
  count: number,
  a: NumericArray,
  from: number,
  stride: number,
): void {
  for (let i = 0; i < count; i++) y[start + i] = f(a[from + i * stride]);
}

function mapTwo(
  f: (a: number, b: number) => number,
  y: NumericArray,
  start: number,
  count: number,
  a: NumericArray,
  fromA: number,
  strideA: number,
  b: NumericArray,
  fromB: number,
  strideB: number,
): void {
  for (let i = 0; i < count; i++) {
    y[start + i] = f(a[fromA + i * strideA], b[fromB + i * strideB]);
  }
}

/** Writes `y[i] = x[i]` for every element, row-major. */
export function copyStrided(x: Strided, y: NumericArray): void {
  const size = sizeOf(x.shape);
  if (isContiguous(x)) y.set(x.data.subarray(x.offset, x.offset + size));
  else mapStrided(asIs, x.shape, [x], y);
}

/** Writes every element of a view to the same place of another one of its shape. */
export function writeStrided(from: Strided, to: Strided): void {
  runLoops(from.shape, [from, to], ([p, q]) => (_, count, at) => {
    for (let i = 0; i < count; i++) to.data[at[1] + i * q] = from.data[at[0] + i * p];
  });
}
