/*
 * Times a ladder of CPU matrix multiplications, from three plain loops to the one in src/devices/cpu, in
 * alternation, and prints the GFLOP/s of the best round of each. Run it with
 *   npx vite build . --ssr bench/kernels/matmul-cpu.ts --outDir node_modules/.cache/bench
 *   node node_modules/.cache/bench/matmul-cpu.js
 */
import type { NumericArray } from "../../src/core/dtype.ts";
import { type MatrixView, multiplyMatrices } from "../../src/devices/cpu/matmul.ts";

type Multiply = typeof multiplyMatrices;

const plain: Multiply = (m, n, k, a, b, y, yOffset) => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) {
        const fromA = a.data[a.offset + i * a.rowStride + p * a.colStride];
        sum += fromA * b.data[b.offset + p * b.rowStride + j * b.colStride];
      }
      y[yOffset + i * n + j] = sum;
    }
  }
};

/** Adds row after row of b to a row of y, so that b is read in order. */
const rowByRow: Multiply = (m, n, k, a, b, y, yOffset) => {
  const row = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let p = 0; p < k; p++) {
      const factor = a.data[a.offset + i * a.rowStride + p * a.colStride];
      const from = b.offset + p * b.rowStride;
      for (let j = 0; j < n; j++) row[j] += factor * b.data[from + j * b.colStride];
    }
    y.set(row, yOffset + i * n);
  }
};

/** Copies to float64 panels of 4 rows of a and 4 columns of b, and sums 4 × 4 tiles in 16 variables. */
const tile4x4: Multiply = (m, n, k, a, b, y, yOffset) => {
  const panelsA = pack4(m, k, a.data, a.offset, a.rowStride, a.colStride);
  const panelsB = pack4(n, k, b.data, b.offset, b.colStride, b.rowStride);
  const tile = new Float64Array(16);
  for (let i = 0; i < m; i += 4) {
    for (let j = 0; j < n; j += 4) {
      sum4x4(k, panelsA, i * k, panelsB, j * k, tile);
      for (let r = 0; r < 4 && i + r < m; r++) {
        for (let c = 0; c < 4 && j + c < n; c++) y[yOffset + (i + r) * n + j + c] = tile[4 * r + c];
      }
    }
  }
};

function pack4(
  lines: number,
  k: number,
  data: NumericArray,
  start: number,
  stride: number,
  stepK: number,
): Float64Array {
  const panels = new Float64Array(Math.ceil(lines / 4) * 4 * k);
  for (let line = 0; line < lines; line++) {
    const to = (line - (line % 4)) * k + (line % 4);
    for (let p = 0; p < k; p++) panels[to + 4 * p] = data[start + line * stride + p * stepK];
  }
  return panels;
}

function sum4x4(
  k: number,
  a: Float64Array,
  startA: number,
  b: Float64Array,
  startB: number,
  tile: Float64Array,
): void {
  let [y00, y01, y02, y03] = [0, 0, 0, 0];
  let [y10, y11, y12, y13] = [0, 0, 0, 0];
  let [y20, y21, y22, y23] = [0, 0, 0, 0];
  let [y30, y31, y32, y33] = [0, 0, 0, 0];
  let atB = startB | 0;
  const end = (startA + 4 * k) | 0;
  for (let atA = startA | 0; atA < end; atA = (atA + 4) | 0) {
    const b0 = b[atB];
    const b1 = b[(atB + 1) | 0];
    const b2 = b[(atB + 2) | 0];
    const b3 = b[(atB + 3) | 0];
    const a0 = a[atA];
    y00 += a0 * b0;
    y01 += a0 * b1;
    y02 += a0 * b2;
    y03 += a0 * b3;
    const a1 = a[(atA + 1) | 0];
    y10 += a1 * b0;
    y11 += a1 * b1;
    y12 += a1 * b2;
    y13 += a1 * b3;
    const a2 = a[(atA + 2) | 0];
    y20 += a2 * b0;
    y21 += a2 * b1;
    y22 += a2 * b2;
    y23 += a2 * b3;
    const a3 = a[(atA + 3) | 0];
    y30 += a3 * b0;
    y31 += a3 * b1;
    y32 += a3 * b2;
    y33 += a3 * b3;
    atB = (atB + 4) | 0;
  }
  tile.set([y00, y01, y02, y03, y10, y11, y12, y13, y20, y21, y22, y23, y30, y31, y32, y33]);
}

const ladder = { plain, rowByRow, tile4x4, multiplyMatrices };

// [name, m, n, k, operand given transposed by strides]
const shapes: [string, number, number, number, "a" | "b" | ""][] = [
  ["x·W1 [100,784]·[784,50]", 100, 50, 784, ""],
  ["xᵀ·dz [784,100]·[100,50]", 784, 50, 100, "a"],
  ["h·W2 [100,50]·[50,10]", 100, 10, 50, ""],
  ["hᵀ·dz2 [50,100]·[100,10]", 50, 10, 100, "a"],
  ["dz2·W2ᵀ [100,10]·[10,50]", 100, 50, 10, "b"],
  ["256³", 256, 256, 256, ""],
  ["512³", 512, 512, 512, ""],
  ["[1024,784]·[784,128]", 1024, 128, 784, ""],
  ["tall [10000,16]·[16,16]", 10000, 16, 16, ""],
  ["long k [8,20000]·[20000,8]", 8, 8, 20000, ""],
  ["matrix · vector [1000,1000]", 1000, 1, 1000, ""],
];

function random(
  Type: Float32ArrayConstructor | Float64ArrayConstructor,
  rows: number,
  cols: number,
  transposed: boolean,
): MatrixView<Float32Array | Float64Array> {
  const data = new Type(rows * cols).map(() => Math.random() - 0.5);
  const [rowStride, colStride] = transposed ? [1, rows] : [cols, 1];
  return { data, offset: 0, rowStride, colStride };
}

function compare(
  Type: Float32ArrayConstructor | Float64ArrayConstructor,
  [name, m, n, k, transposed]: (typeof shapes)[number],
): void {
  const a = random(Type, m, k, transposed === "a");
  const b = random(Type, k, n, transposed === "b");
  const y = new Type(m * n);
  const flops = 2 * m * n * k;
  const calls = Math.max(1, Math.round(2e6 / flops));
  const rounds = flops > 5e7 ? 9 : 45;
  const times = Object.values(ladder).map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    Object.values(ladder).forEach((multiply, rung) => {
      const start = performance.now();
      for (let call = 0; call < calls; call++) multiply(m, n, k, a, b, y, 0);
      times[rung].push((performance.now() - start) / calls);
    });
  }
  const rates = times.map((rung) => flops / 1e6 / Math.min(...rung));
  console.log(`| ${name} | ${rates.map((rate) => rate.toFixed(2)).join(" | ")} |`);
}

for (const Type of [Float32Array, Float64Array]) {
  console.log(`\n| ${Type.name}, GFLOP/s | ${Object.keys(ladder).join(" | ")} |`);
  console.log("|---|---|---|---|---|");
  for (const shape of shapes) compare(Type, shape);
}
