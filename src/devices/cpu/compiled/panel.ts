import type { FunctionWriter } from "./assembler.ts";
import * as simd from "./simd.ts";

/** The locals with which a panel is copied: from where and to where, where that ends, and a vector. */
interface PanelLocals {
  readonly from: number;
  readonly to: number;
  readonly end: number;
  readonly vector: number;
}

/** Copies rows of a matrix, of up to eight columns, one behind the other, in vectors. */
export function packPanel(
  f: FunctionWriter,
  width: number,
  [, row, column]: readonly number[],
  { from, to, end, vector }: PanelLocals,
): void {
  const vectors = Math.ceil(width / 4);
  /** Loads up to four columns that do not lie side by side. */
  const gather = (first: number, lanes: number) => {
    const offset = (lane: number) => 4 * (first + lane) * column;
    f.get(from).vectorMemory(simd.v128_load32_zero, 2, offset(0)).set(vector);
    for (let lane = 1; lane < lanes; lane++) {
      f.get(from).get(vector);
      f.vectorMemory(simd.v128_load32_lane, 2, offset(lane), lane).set(vector);
    }
    f.get(vector);
  };
  f.repeat(() => {
    for (let v = 0; v < vectors; v++) {
      f.get(to);
      if (column === 1) f.get(from).vectorMemory(simd.v128_load, 2, 16 * v);
      else gather(4 * v, Math.min(4, width - 4 * v));
      f.vectorMemory(simd.v128_store, 2, 16 * v);
    }
    f.move(from, from, 4 * row);
    f.advance(to, 16 * vectors, end);
  });
}
