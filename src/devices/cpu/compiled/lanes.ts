import { DTYPES, type DType, is } from "../../../core/dtype.ts";
import { type FunctionWriter, I32, V128 } from "./assembler.ts";
import { ADD } from "./instructions.ts";
import * as simd from "./simd.ts";

/** Whether there are lanes of a dtype's elements, which are bytes or words of 32 bits. */
export function hasLanes(dtype: DType): boolean {
  return is(dtype, "gpu") && DTYPES[dtype].wordBytes === 4;
}

/** Bytes of an element in memory. */
export function bytesOfElement(dtype: DType): number {
  return DTYPES[dtype].array.BYTES_PER_ELEMENT;
}

const LOAD_BYTE = 0x2d;

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
    const isByte = bytes === 1;
    if (stride === 0) {
      if (isByte) f.memory(LOAD_BYTE, 0, offset).simd(simd.i32x4_splat);
      else f.vectorMemory(simd.v128_load32_splat, 2, offset);
    } else if (stride === 1) {
      if (isByte) f.vectorMemory(simd.v128_load32_zero, 0, offset);
      else f.vectorMemory(simd.v128_load, 2, offset);
    } else {
      f.set(this.#address);
      this.#zeros().set(this.#vector);
      for (let lane = 0; lane < count; lane++) {
        f.get(this.#address);
        const at = offset + lane * stride * bytes;
        if (at < 0) f.i32(at).emit(ADD);
        f.get(this.#vector);
        f.vectorMemory(
          isByte ? simd.v128_load8_lane : simd.v128_load32_lane,
          isByte ? 0 : 2,
          Math.max(0, at),
          lane,
        );
        f.set(this.#vector);
      }
      f.get(this.#vector);
    }
    this.#widen(dtype, isByte && stride !== 0);
  }

  /** Leaves elements on the stack whose addresses `address` leaves there, each for a lane. */
  gather(dtype: DType, count: number, address: (lane: number) => void): void {
    const { f } = this;
    const isByte = bytesOfElement(dtype) === 1;
    this.#zeros().set(this.#vector);
    for (let lane = 0; lane < count; lane++) {
      address(lane);
      f.get(this.#vector);
      f.vectorMemory(
        isByte ? simd.v128_load8_lane : simd.v128_load32_lane,
        isByte ? 0 : 2,
        0,
        lane,
      ).set(this.#vector);
    }
    f.get(this.#vector);
    this.#widen(dtype, isByte);
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
    const isByte = bytes === 1;
    const words = isByte ? this.#narrow(dtype, value) : value;
    if (count === 4 && stride === 1) {
      address();
      f.get(words);
      if (isByte) f.vectorMemory(simd.v128_store32_lane, 0, offset, 0);
      else f.vectorMemory(simd.v128_store, 2, offset);
      return;
    }
    for (let lane = 0; lane < count; lane++) {
      address();
      const [code, align] = isByte ? [simd.v128_store8_lane, 0] : [simd.v128_store32_lane, 2];
      f.get(words).vectorMemory(code, align, offset + lane * stride * bytes, lane);
    }
  }

  /** Stores one lane of a local at the address that `address` leaves. */
  storeLane(dtype: DType, value: number, lane: number, address: () => void): void {
    const { f } = this;
    const isByte = bytesOfElement(dtype) === 1;
    const words = isByte ? this.#narrow(dtype, value) : value;
    address();
    f.get(words).vectorMemory(
      isByte ? simd.v128_store8_lane : simd.v128_store32_lane,
      isByte ? 0 : 2,
      0,
      lane,
    );
  }

  #zeros(): FunctionWriter {
    return this.f.simd(simd.v128_const, ...new Array<number>(16).fill(0));
  }

  /** Makes words of bytes, side by side or one a lane, and masks of bools. */
  #widen(dtype: DType, isPacked: boolean): void {
    if (isPacked) this.f.simd(simd.i16x8_extend_low_i8x16_u).simd(simd.i32x4_extend_low_i16x8_u);
    if (!is(dtype, "bool")) return;
    this.#zeros();
    this.f.simd(simd.i32x4_ne);
  }

  /** Makes bytes of words, side by side. */
  #narrow(dtype: DType, value: number): number {
    const { f } = this;
    f.get(value);
    if (is(dtype, "bool")) f.i32(31).simd(simd.i32x4_shr_u);
    f.set(this.#vector).get(this.#vector).get(this.#vector).simd(simd.i16x8_narrow_i32x4_u);
    f.set(this.#vector)
      .get(this.#vector)
      .get(this.#vector)
      .simd(simd.i8x16_narrow_i16x8_u)
      .set(this.#vector);
    return this.#vector;
  }
}
