import fc from "fast-check";
import { expect, test } from "vitest";
import type { NumericArray } from "../../../src/core/dtype.ts";
import { type MatrixView, multiplyMatrices } from "../../../src/devices/cpu/matmul.ts";
import { trace } from "../../../src/engine/program.ts";
import { init, matmul, tensor, transpose } from "../../../src/index.ts";
import { opByOp } from "../../support/op-by-op.ts";

type Layout = "rows" | "transposed" | "reversed" | "broadcast rows" | "broadcast columns";
type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor;

const layouts: Layout[] = ["rows", "transposed", "reversed", "broadcast rows", "broadcast columns"];

/** Lays a rows × cols matrix out in a fresh array with a gap in front and between its lines. */
function layOut<T extends NumericArray>(
  Type: new (length: number) => T,
  [rows, cols]: [number, number],
  layout: Layout,
  value: (index: number) => number,
): MatrixView<T> {
  const offset = 3;
  const data = new Type(offset + (rows + 2) * (cols + 2));
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  switch (layout) {
    case "rows":
      return { data, offset, rowStride: cols + 1, colStride: 1 };
    case "transposed":
      return { data, offset, rowStride: 1, colStride: rows + 2 };
    case "reversed":
      return { data, offset: data.length - 1, rowStride: -cols, colStride: -1 };
    case "broadcast rows":
      return { data, offset, rowStride: 0, colStride: 1 };
    case "broadcast columns":
      return { data, offset, rowStride: 2, colStride: 0 };
  }
}

const at = (x: MatrixView<NumericArray>, i: number, j: number) =>
  x.data[x.offset + i * x.rowStride + j * x.colStride];

/** A repeatable value in [−1, 1) for an index (a linear congruential step, then a hash of bits). */
const uniform = (seed: number) => (index: number) => {
  let h = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return ((h ^ (h >>> 12)) | 0) / 2 ** 31;
};

/** Checks y = a·b against three plain loops in float64, and that nothing around y was written. */
function checkFloats(
  [m, n, k]: [number, number, number],
  [layoutA, layoutB]: [Layout, Layout],
  [A, B, Y]: [FloatArray, FloatArray, FloatArray],
): void {
  const a = layOut<Float32Array | Float64Array>(A, [m, k], layoutA, uniform(m + 7 * k));
  const b = layOut<Float32Array | Float64Array>(B, [k, n], layoutB, uniform(n + 5 * k + 1));
  const y = new Y(m * n + 4).fill(99);
  multiplyMatrices(m, n, k, a, b, y, 2);
  expect([y[0], y[1], y[m * n + 2], y[m * n + 3]]).toEqual([99, 99, 99, 99]);
  let worst = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let magnitude = 0;
      for (let p = 0; p < k; p++) {
        const product = at(a, i, p) * at(b, p, j);
        sum += product;
        magnitude += Math.abs(product);
      }
      // One rounding to float32 (2⁻²⁴ of the sum) and the order of the sum in float64.
      const rounding = Y === Float32Array ? 2 ** -24 * Math.abs(sum) + 2 ** -149 : 0;
      const error = Math.abs(y[2 + i * n + j] - sum);
      worst = Math.max(worst, error - rounding - 1e-14 * magnitude);
      if (Number.isNaN(error)) worst = Number.POSITIVE_INFINITY;
    }
  }
  expect(worst).toBeLessThanOrEqual(0);
}

for (const layoutA of layouts) {
  for (const layoutB of layouts) {
    test(`multiplies a (${layoutA}) by b (${layoutB})`, () => {
      checkFloats([7, 10, 13], [layoutA, layoutB], [Float32Array, Float32Array, Float32Array]);
      checkFloats([8, 5, 9], [layoutA, layoutB], [Float64Array, Float64Array, Float64Array]);
    });
  }
}

// Tiles of 3, blocks of 132 × 132 and runs of 264, each one short, exact and one over.
test.each([1, 2, 3, 4, 5, 131, 132, 133, 263, 264, 265])(
  "multiplies %i rows and columns",
  (size) => {
    checkFloats([size, 10, 20], ["rows", "rows"], [Float32Array, Float32Array, Float32Array]);
    checkFloats([10, size, 20], ["rows", "transposed"], [Float64Array, Float64Array, Float64Array]);
    checkFloats(
      [size, size, 4],
      ["transposed", "rows"],
      [Float32Array, Float64Array, Float64Array],
    );
  },
);

test.each([1, 2, 263, 264, 265, 527, 528, 529, 784])("sums %i products", (k) => {
  checkFloats([4, 5, k], ["rows", "rows"], [Float32Array, Float32Array, Float32Array]);
  checkFloats([5, 4, k], ["transposed", "transposed"], [Float64Array, Float64Array, Float64Array]);
});

test("multiplies any sizes, layouts and float types", () => {
  const size = fc.integer({ min: 0, max: 140 });
  const layout = fc.constantFrom(...layouts);
  const type = fc.constantFrom<FloatArray>(Float32Array, Float64Array);
  fc.assert(
    fc.property(
      fc.tuple(size, size, fc.integer({ min: 0, max: 300 })),
      fc.tuple(layout, layout),
      fc.tuple(type, type, type),
      checkFloats,
    ),
    { numRuns: 40, seed: 1 },
  );
});

test.each(["f32", "f64"] as const)("sums to the bits of the op's own form, %s", async (dtype) => {
  const { device } = await init({ device: "cpu", engine: "plain", isolated: true });
  const values = (size: number, seed: number) => {
    return Float64Array.from({ length: size }, (_, i) => uniform(seed)(i));
  };
  for (const [m, k, n] of [
    [5, 529, 4],
    [1, 7, 1],
    [134, 3, 133],
    [4, 0, 5],
  ]) {
    const a = tensor(values(2 * k * m, 1), { shape: [2, k, m], dtype, device });
    const b = tensor(values(2 * k * n, 2), { shape: [2, k, n], dtype, device });
    const y = matmul(transpose(a), b);
    const { program, sources } = trace([y.node], "test");
    const plain = opByOp(
      program,
      sources.map(({ host }) => host as NumericArray),
    );
    expect(await y.data()).toEqual(plain[program.outputs[0]]);
  }
});

test.each([Float32Array, Float64Array])(
  "gives zeros where k is 0, and nothing where m or n is 0 (%o)",
  (Type) => {
    const empty = { data: new Type(0), offset: 0, rowStride: 0, colStride: 1 };
    const y = new Type(7).fill(9);
    multiplyMatrices(0, 5, 3, empty, empty, y, 0);
    multiplyMatrices(5, 0, 3, empty, empty, y, 0);
    expect([...y]).toEqual([9, 9, 9, 9, 9, 9, 9]);
    multiplyMatrices(2, 3, 0, empty, empty, y, 1);
    expect([...y]).toEqual([9, 0, 0, 0, 0, 0, 0]);
  },
);

test("propagates NaN and infinity, and lets none leak from one call into the next", () => {
  const [m, n, k] = [4, 5, 6];
  const a = layOut(Float32Array, [m, k], "rows", () => 0);
  const b = layOut(Float32Array, [k, n], "rows", () => 1);
  a.data[a.offset + 1 * a.rowStride + 2] = Number.NaN;
  a.data[a.offset + 2 * a.rowStride + 2] = Number.POSITIVE_INFINITY;
  b.data[b.offset + 5 * b.rowStride + 4] = Number.NEGATIVE_INFINITY;
  const y = new Float32Array(m * n);
  multiplyMatrices(m, n, k, a, b, y, 0);
  const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
  expect([...y]).toEqual([
    ...[0, 0, 0, 0, nan], // 0 · −∞
    ...[nan, nan, nan, nan, nan],
    ...[inf, inf, inf, inf, nan], // ∞ + 0 · −∞
    ...[0, 0, 0, 0, nan],
  ]);
  checkFloats([m, n, k], ["rows", "rows"], [Float32Array, Float32Array, Float32Array]);
});
