import { DTYPES, type DType, is } from "../../../core/dtype.ts";
import { type FunctionWriter, I32, V128 } from "./assembler.ts";
import { ADD } from "./instructions.ts";
import * as simd from "./simd.ts";
import { laneBytes } from "./vector-body.ts";

/** Whether there are lanes of a dtype's elements, which are of 8, 16 or 32 bits. */
export function hasLanes(dtype: DType): boolean {
  return is(dtype, "gpu") && DTYPES[dtype].wordBytes === 4;
}

/** Bytes of an element in memory. */
export function bytesOfElement(dtype: DType): number {
  return DTYPES[dtype].array.BYTES_PER_ELEMENT;
}

/** Instructions for elements of so many bytes. */
interface Width {
  /** The logarithm of the bytes, as instructions say how memory is aligned. */
  readonly align: number;
  /** Loads one element into all lanes, or one into an i32, signed and not. */
  readonly splat?: number;
  readonly single?: readonly [number, number];
  /** Loads and stores four, side by side. */
  readonly load: number;
  readonly store: number;
  /** Loads and stores one lane. */
  readonly loadLane: number;
  readonly storeLane: number;
}

const WIDTHS: Readonly<Record<number, Width>> = {
  1: {
    align: 0,
    single: [0x2c, 0x2d], // i32.load8_s, i32.load8_u
    load: simd.v128_load32_zero,
    store: simd.v128_store32_lane,
    loadLane: simd.v128_load8_lane,
    storeLane: simd.v128_store8_lane,
  },
  2: {
    align: 1,
    single: [0x2e, 0x2f], // i32.load16_s, i32.load16_u
    load: simd.v128_load64_zero,
    store: simd.v128_store64_lane,
    loadLane: simd.v128_load16_lane,
    storeLane: simd.v128_store16_lane,
  },
  4: {
    align: 2,
    splat: simd.v128_load32_splat,
    load: simd.v128_load,
    store: simd.v128_store,
    loadLane: simd.v128_load32_lane,
    storeLane: simd.v128_store32_lane,
  },
};

const BACKWARDS = /* @__PURE__ */ laneBytes([3, 2, 1, 0]);

/** Loads and stores of up to four elements, by literal distances from an address. */
export class Lanes {
  readonly #vector: number;
  readonly #address: number;

  constructor(readonly f: FunctionWriter) {
    this.#vector = f.local(V128);
    this.#address = f.local(I32);
  }

  /**
   * Leaves `count` elements on the stack, `stride` apart, the first one so many bytes behind the
   * address on the stack. Where they lie side by side, more may be read, and left alone.
   */
  load(dtype: DType, stride: number, offset: number, count: number): void {
    const { f } = this;
    const bytes = bytesOfElement(dtype);
    const { align, splat, single, load, loadLane } = WIDTHS[bytes];
    if (stride === 0 && single) {
      f.memory(single[DTYPES[dtype].min < 0 ? 0 : 1], align, offset).simd(simd.i32x4_splat);
    } else if (stride === 0) f.vectorMemory(splat as number, align, offset);
    else if (stride === 1) f.vectorMemory(load, align, offset);
    else if (stride === -1 && bytes === 4 && count === 4) {
      f.i32(offset - 12)
        .emit(ADD)
        .vectorMemory(load, align, 0)
        .set(this.#vector);
      f.get(this.#vector)
        .get(this.#vector)
        .simd(simd.i8x16_shuffle, ...BACKWARDS);
    } else {
      f.set(this.#address);
      this.f.zeros().set(this.#vector);
      for (let lane = 0; lane < count; lane++) {
        f.get(this.#address);
        const at = offset + lane * stride * bytes;
        if (at < 0) f.i32(at).emit(ADD);
        f.get(this.#vector).vectorMemory(loadLane, align, Math.max(0, at), lane);
        f.set(this.#vector);
      }
      f.get(this.#vector);
    }
    this.#widen(dtype, stride !== 0);
  }

  /** Leaves elements on the stack whose addresses `address` leaves there, each for a lane. */
  gather(dtype: DType, count: number, address: (lane: number) => void): void {
    const { f } = this;
    const { align, loadLane } = WIDTHS[bytesOfElement(dtype)];
    this.f.zeros().set(this.#vector);
    for (let lane = 0; lane < count; lane++) {
      address(lane);
      f.get(this.#vector).vectorMemory(loadLane, align, 0, lane).set(this.#vector);
    }
    f.get(this.#vector);
    this.#widen(dtype, true);
  }

  /** Stores the first `count` lanes of a local, `stride` apart, so far behind what `address` leaves. */
  store(
    dtype: DType,
    value: number,
    { stride, offset, count }: Readonly<Record<"stride" | "offset" | "count", number>>,
    address: () => void,
  ): void {
    const { f } = this;
    const bytes = bytesOfElement(dtype);
    const { align, store, storeLane } = WIDTHS[bytes];
    const words = this.#narrow(dtype, value);
    if (count === 4 && stride === 1) {
      address();
      f.get(words).vectorMemory(store, align, offset, ...(bytes < 4 ? [0] : []));
      return;
    }
    for (let lane = 0; lane < count; lane++) {
      address();
      f.get(words).vectorMemory(storeLane, align, offset + lane * stride * bytes, lane);
    }
  }

  /** Stores one lane of a local at the address that `address` leaves. */
  storeLane(dtype: DType, value: number, lane: number, address: () => void): void {
    const { align, storeLane } = WIDTHS[bytesOfElement(dtype)];
    const words = this.#narrow(dtype, value);
    address();
    this.f.get(words).vectorMemory(storeLane, align, 0, lane);
  }

  /** Makes words of what is less, side by side or one a lane, and masks of bools. */
  #widen(dtype: DType, isPacked: boolean): void {
    const { f } = this;
    const bytes = bytesOfElement(dtype);
    const isSigned = DTYPES[dtype].min < 0;
    if (isPacked && bytes === 1) {
      f.simd(isSigned ? simd.i16x8_extend_low_i8x16_s : simd.i16x8_extend_low_i8x16_u);
    }
    if (isPacked && bytes < 4) {
      f.simd(isSigned ? simd.i32x4_extend_low_i16x8_s : simd.i32x4_extend_low_i16x8_u);
    }
    if (!is(dtype, "bool")) return;
    f.zeros().simd(simd.i32x4_ne);
  }

  /** Makes of words what is stored, side by side, in a local. */
  #narrow(dtype: DType, value: number): number {
    const { f } = this;
    const bytes = bytesOfElement(dtype);
    if (bytes === 4) return value;
    const isSigned = DTYPES[dtype].min < 0;
    const vector = this.#vector;
    f.get(value);
    if (is(dtype, "bool")) f.i32(31).simd(simd.i32x4_shr_u);
    f.set(vector).get(vector).get(vector);
    f.simd(isSigned ? simd.i16x8_narrow_i32x4_s : simd.i16x8_narrow_i32x4_u).set(vector);
    if (bytes === 2) return vector;
    f.get(vector).get(vector);
    f.simd(isSigned ? simd.i8x16_narrow_i16x8_s : simd.i8x16_narrow_i16x8_u).set(vector);
    return vector;
  }
}
