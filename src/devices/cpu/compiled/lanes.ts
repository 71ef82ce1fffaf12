import { DTYPES, type DType, is } from "../../../core/dtype.ts";
import { type FunctionWriter, I32, V128 } from "./assembler.ts";
import {
  ADD,
  CONST,
  LOAD_LANE,
  LOAD_SPLAT,
  LOAD_VECTOR,
  SPLAT_WORDS,
  STORE_LANE,
  STORE_VECTOR,
} from "./instructions.ts";

/** Whether there are lanes of a dtype's elements, which are bytes or words of 32 bits. */
export function hasLanes(dtype: DType): boolean {
  return is(dtype, "gpu") && DTYPES[dtype].wordBytes === 4;
}

/** Bytes of an element in memory. */
export function bytesOfElement(dtype: DType): number {
  return DTYPES[dtype].array.BYTES_PER_ELEMENT;
}

const LOAD_BYTE = 0x2d;
const LOAD_FOUR_BYTES = 0x5c;
const LOAD_BYTE_LANE = 0x54;
const STORE_BYTE_LANE = 0x58;
const WIDEN_BYTES = 0x89; // i16x8.extend_low_i8x16_u
const WIDEN_HALVES = 0xa9; // i32x4.extend_low_i16x8_u
const NARROW_WORDS = 0x86; // i16x8.narrow_i32x4_u
const NARROW_HALVES = 0x66; // i8x16.narrow_i16x8_u
const SHIFT_RIGHT = 0xad; // i32x4.shr_u
const NOT_EQUAL_WORDS = 0x38; // i32x4.ne

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
      if (isByte) f.memory(LOAD_BYTE, 0, offset).simd(SPLAT_WORDS);
      else f.vectorMemory(LOAD_SPLAT, 2, offset);
    } else if (stride === 1) {
      if (isByte) f.vectorMemory(LOAD_FOUR_BYTES, 0, offset);
      else f.vectorMemory(LOAD_VECTOR, 2, offset);
    } else {
      f.set(this.#address);
      this.#zeros().set(this.#vector);
      for (let lane = 0; lane < count; lane++) {
        f.get(this.#address);
        const at = offset + lane * stride * bytes;
        if (at < 0) f.i32(at).emit(ADD);
        f.get(this.#vector);
        f.vectorMemory(isByte ? LOAD_BYTE_LANE : LOAD_LANE, isByte ? 0 : 2, Math.max(0, at), lane);
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
      f.vectorMemory(isByte ? LOAD_BYTE_LANE : LOAD_LANE, isByte ? 0 : 2, 0, lane).set(
        this.#vector,
      );
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
      if (isByte) f.vectorMemory(STORE_LANE, 0, offset, 0);
      else f.vectorMemory(STORE_VECTOR, 2, offset);
      return;
    }
    for (let lane = 0; lane < count; lane++) {
      address();
      const [code, align] = isByte ? [STORE_BYTE_LANE, 0] : [STORE_LANE, 2];
      f.get(words).vectorMemory(code, align, offset + lane * stride * bytes, lane);
    }
  }

  /** Stores one lane of a local at the address that `address` leaves. */
  storeLane(dtype: DType, value: number, lane: number, address: () => void): void {
    const { f } = this;
    const isByte = bytesOfElement(dtype) === 1;
    const words = isByte ? this.#narrow(dtype, value) : value;
    address();
    f.get(words).vectorMemory(isByte ? STORE_BYTE_LANE : STORE_LANE, isByte ? 0 : 2, 0, lane);
  }

  #zeros(): FunctionWriter {
    return this.f.simd(CONST, ...new Array<number>(16).fill(0));
  }

  /** Makes words of bytes, side by side or one a lane, and masks of bools. */
  #widen(dtype: DType, isPacked: boolean): void {
    if (isPacked) this.f.simd(WIDEN_BYTES).simd(WIDEN_HALVES);
    if (!is(dtype, "bool")) return;
    this.#zeros();
    this.f.simd(NOT_EQUAL_WORDS);
  }

  /** Makes bytes of words, side by side. */
  #narrow(dtype: DType, value: number): number {
    const { f } = this;
    f.get(value);
    if (is(dtype, "bool")) f.i32(31).simd(SHIFT_RIGHT);
    f.set(this.#vector).get(this.#vector).get(this.#vector).simd(NARROW_WORDS);
    f.set(this.#vector).get(this.#vector).get(this.#vector).simd(NARROW_HALVES).set(this.#vector);
    return this.#vector;
  }
}
