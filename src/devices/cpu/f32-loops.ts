import type { NumericArray } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { isContiguous, type Strided } from "../../core/strided.ts";
import { loopsOf } from "../../core/strided-loops.ts";
import type { F32LoopName } from "../../forms/loops.ts";

/** Computes the first `count` elements of the result's block from those of the inputs' blocks. */
export type F32Loop = (count: number) => void;

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

/** How the elements of a result lie, and those of its inputs: in so many rows of columns. */
interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** From row to row and from column to column, of each input. */
  readonly rowStrides: readonly number[];
  readonly strides: readonly number[];
}

/**
 * Makes what runs a loop for every element of up to three inputs, each float32 or bool, and writes y
 * row-major. It is for views that lie alike each time: how they do is found out once.
 * @returns whether it did: false for other inputs and for views of more than two nested loops.
 */
export function f32Form(loop: F32Loop): (y: Strided, inputs: readonly Strided[]) => boolean {
  let grid: Grid | null | undefined;
  return (y, inputs) => {
    if (grid === undefined) grid = gridOf(y.shape, inputs);
    if (grid) run(loop, grid, inputs, y.data);
    return grid !== null;
  };
}

/** Null where no loop runs over them. */
function gridOf(shape: Shape, inputs: readonly Strided[]): Grid | null {
  if (!inputs.every(isTaken)) return null;
  const size = sizeOf(shape);
  const still = inputs.map(() => 0);
  if (inputs.every(isContiguous)) {
    return { rows: 1, columns: size, rowStrides: still, strides: inputs.map(() => 1) };
  }
  const [inner, outer, ...others] = loopsOf(shape, inputs).reverse();
  if (others.length > 0) return null;
  const rows = size === 0 ? 0 : (outer?.count ?? 1);
  const rowStrides = outer?.strides ?? still;
  return { rows, columns: inner.count, rowStrides, strides: inner.strides };
}

function run(
  loop: F32Loop,
  { rows, columns, rowStrides, strides }: Grid,
  inputs: readonly Strided[],
  y: NumericArray,
): void {
  const rowStep = Math.max(1, Math.floor(BLOCK / columns));
  for (let row = 0; row < rows; row += rowStep) {
    const m = Math.min(rowStep, rows - row);
    for (let column = 0; column < columns; column += BLOCK) {
      const n = Math.min(BLOCK, columns - column);
      for (let j = 0; j < inputs.length; j++) {
        const { data, offset } = inputs[j];
        const start = offset + row * rowStrides[j] + column * strides[j];
        read(f32.operands[j], data, start, m, n, rowStrides[j], strides[j]);
      }
      loop(m * n);
      y.set(leading(m * n), row * columns + column);
    }
  }
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
