import type { NumericArray } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { isContiguous, type Strided } from "../../core/strided.ts";
import { loopsOf } from "../../core/strided-loops.ts";
import type { F32LoopName } from "../../forms/loops.ts";

/** Computes the first `count` elements of the result's block from those of the inputs' blocks. */
export type F32Loop = (count: number) => void;

/** Strides of inputs that lie as the result does. */
const NEIGHBOURS: readonly number[] = [1, 1, 1];

/** How many elements a block has: three of them fit into a first-level cache. */
const BLOCK = 2048;

/*
 * Elementwise ops on float32 in loops of their own, since calling a function for each element takes ten
 * times as long as adding two numbers. Inputs are copied to blocks first, so that a loop sees arrays of
 * one type without strides. The blocks are constants of a function, not of the module, which bundlers
 * make variables: the compiler then knows their addresses and lengths (V8; bench/kernels/README.md has
 * the figures).
 */
function makeLoops() {
  const a = new Float32Array(BLOCK);
  const b = new Float32Array(BLOCK);
  const c = new Float32Array(BLOCK);
  const y = new Float32Array(BLOCK);
  const { abs, exp, log, max, min, sqrt, tanh } = Math;
  const loops = {
    add: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] + b[i];
    },
    sub: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] - b[i];
    },
    mul: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] * b[i];
    },
    div: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] / b[i];
    },
    maximum: (count) => {
      for (let i = 0; i < count; i++) y[i] = max(a[i], b[i]);
    },
    minimum: (count) => {
      for (let i = 0; i < count; i++) y[i] = min(a[i], b[i]);
    },
    greater: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] > b[i] ? 1 : 0;
    },
    where: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] !== 0 ? b[i] : c[i];
    },
    neg: (count) => {
      for (let i = 0; i < count; i++) y[i] = -a[i];
    },
    abs: (count) => {
      for (let i = 0; i < count; i++) y[i] = abs(a[i]);
    },
    square: (count) => {
      for (let i = 0; i < count; i++) y[i] = a[i] * a[i];
    },
    sqrt: (count) => {
      for (let i = 0; i < count; i++) y[i] = sqrt(a[i]);
    },
    exp: (count) => {
      for (let i = 0; i < count; i++) y[i] = exp(a[i]);
    },
    log: (count) => {
      for (let i = 0; i < count; i++) y[i] = log(a[i]);
    },
    sigmoid: (count) => {
      for (let i = 0; i < count; i++) {
        const e = exp(-abs(a[i]));
        y[i] = (a[i] >= 0 ? 1 : e) / (1 + e);
      }
    },
    tanh: (count) => {
      for (let i = 0; i < count; i++) y[i] = tanh(a[i]);
    },
    relu: (count) => {
      for (let i = 0; i < count; i++) y[i] = max(a[i], 0);
    },
  } satisfies Record<F32LoopName, F32Loop>;
  return { operands: [a, b, c], parts: [] as Float32Array[], result: y, loops };
}

const f32 = /* @__PURE__ */ makeLoops();

/** The loops, by their names. */
export const f32Loops: typeof f32.loops = f32.loops;

/**
 * Runs a loop for every element of up to three inputs, each float32 or bool, and writes y row-major.
 * @returns whether it did: false for other inputs and for views of more than two nested loops.
 */
export function runF32(
  loop: F32Loop,
  shape: Shape,
  inputs: readonly Strided[],
  y: NumericArray,
): boolean {
  if (!inputs.every(isTaken)) return false;
  if (sizeOf(shape) === 0) return true;
  const isOne = inputs.every(isContiguous);
  const axes = isOne ? [{ count: sizeOf(shape), strides: NEIGHBOURS }] : loopsOf(shape, inputs);
  if (axes.length > 2) return false;
  const [outer, inner] = axes.length === 2 ? axes : [null, axes[0]];
  const rows = outer?.count ?? 1;
  const columns = inner.count;
  const rowStep = Math.max(1, Math.floor(BLOCK / columns));
  for (let row = 0; row < rows; row += rowStep) {
    const m = Math.min(rowStep, rows - row);
    for (let column = 0; column < columns; column += BLOCK) {
      const n = Math.min(BLOCK, columns - column);
      for (let j = 0; j < inputs.length; j++) {
        const { data, offset } = inputs[j];
        const rowStride = outer?.strides[j] ?? 0;
        const stride = inner.strides[j];
        const start = offset + row * rowStride + column * stride;
        read(f32.operands[j], data, start, m, n, rowStride, stride);
      }
      loop(m * n);
      y.set(leading(m * n), row * columns + column);
    }
  }
  return true;
}

function isTaken({ data }: Strided): boolean {
  const kind = data[Symbol.toStringTag];
  return kind === "Float32Array" || kind === "Uint8Array";
}

/** The first `count` elements of the result's block. */
function leading(count: number): Float32Array {
  f32.parts[count] ??= f32.result.subarray(0, count);
  return f32.parts[count];
}

/** Copies m rows of n elements to a block. */
function read(
  block: Float32Array,
  data: NumericArray,
  start: number,
  m: number,
  n: number,
  rowStride: number,
  stride: number,
): void {
  if (stride === 1 && (m === 1 || rowStride === n)) {
    const isWhole = start === 0 && data.length === m * n;
    block.set(isWhole ? data : data.subarray(start, start + m * n));
  } else if (stride === 0 && rowStride === 0) {
    block.fill(data[start], 0, m * n);
  } else {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) block[i * n + j] = data[start + i * rowStride + j * stride];
    }
  }
}
