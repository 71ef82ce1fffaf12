import type { NumericArray } from "../core/dtype.ts";
export interface MatrixView { data: NumericArray; offset: number; rowStride: number; colStride: number }
export function multiplyMatrices(m: number, n: number, k: number, a: MatrixView, b: MatrixView, y: NumericArray, yOffset: number): void {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) { let s = 0; for (let l = 0; l < k; l++) s += a.data[a.offset + i * a.rowStride + l * a.colStride] * b.data[b.offset + l * b.rowStride + j * b.colStride]; y[yOffset + i * n + j] = s; }
}
