/*
 * WebAssembly as bytes: https://webassembly.github.io/spec/core/binary/. A function is written
 * instruction by instruction; a module is put together of functions.
 */

import { CodeBytes } from "./code-bytes.ts";
import { ADD, NOT_EQUAL } from "./instructions.ts";
import * as simd from "./simd.ts";

const MEMORY_FILL = [0xfc, 0x0b, 0];
const ZEROS: readonly number[] = /* @__PURE__ */ new Array<number>(16).fill(0);

/** Types of values, by their bytes. */
export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F32 | typeof V128;

/** The body of one function, as it is being written. */
export class FunctionWriter {
  readonly #code = new CodeBytes();
  readonly #locals: ValueType[] = [];

  constructor(
    readonly parameters: readonly ValueType[] = [],
    readonly results: readonly ValueType[] = [],
  ) {}

  /** Makes a local of its own, 0 at first; parameters are the first ones. */
  local(type: ValueType): number {
    return this.parameters.length + this.#locals.push(type) - 1;
  }

  /** Writes instructions as bytes. */
  emit(...bytes: readonly number[]): this {
    for (const byte of bytes) this.#code.byte(byte);
    return this;
  }

  get(local: number): this {
    return this.#numbered(0x20, local);
  }

  set(local: number): this {
    return this.#numbered(0x21, local);
  }

  tee(local: number): this {
    return this.#numbered(0x22, local);
  }

  /** An i32. */
  i32(value: number): this {
    this.#code.byte(0x41).signed(value);
    return this;
  }

  /** An instruction on vectors, by its number behind the prefix. */
  simd(code: number, ...operands: readonly number[]): this {
    this.#numbered(0xfd, code).#code.append(operands);
    return this;
  }

  /** Has one local be another and so many bytes. */
  move(to: number, from: number, bytes = 0): this {
    this.get(from);
    if (bytes !== 0) this.i32(bytes).emit(ADD);
    return this.set(to);
  }

  /** Has a local be so much more, and leaves on the stack whether it is not yet another one. */
  advance(local: number, by: number, end: number): this {
    return this.get(local).i32(by).emit(ADD).tee(local).get(end).emit(NOT_EQUAL);
  }

  /** A vector of zeros. */
  zeros(): this {
    return this.simd(simd.v128_const, ...ZEROS);
  }

  /** Fills so many bytes with zeros, from an address on the stack on. */
  zero(bytes: number): this {
    return this.i32(0)
      .i32(bytes)
      .emit(...MEMORY_FILL);
  }

  /** A load or store of one number at an address on the stack, of 2^align bytes. */
  memory(code: number, align: number, offset: number): this {
    this.#code.byte(code).byte(align).unsigned(offset);
    return this;
  }

  /** A load or store of a vector. */
  vectorMemory(code: number, align: number, offset: number, ...lane: readonly number[]): this {
    this.#numbered(0xfd, code).#code.byte(align).unsigned(offset).append(lane);
    return this;
  }

  call(index: number): this {
    return this.#numbered(0x10, index);
  }

  /** Runs a body at least once, and again as long as what it leaves on the stack is not 0. */
  repeat(body: () => void): this {
    this.emit(0x03, 0x40);
    body();
    return this.emit(0x0d, 0, 0x0b);
  }

  /** Runs a body as long as what `condition` leaves on the stack is not 0. */
  while(condition: () => void, body: () => void): this {
    this.emit(0x02, 0x40, 0x03, 0x40);
    condition();
    this.emit(0x45, 0x0d, 1);
    body();
    return this.emit(0x0c, 0, 0x0b, 0x0b);
  }

  /** Runs a body for index = from, from + step, … until it is `end`, at least once. */
  count(index: number, step: number, end: number, body: () => void, from = 0): this {
    this.i32(from).set(index);
    return this.repeat(() => {
      body();
      this.get(index).i32(step).emit(ADD).tee(index).i32(end).emit(NOT_EQUAL);
    });
  }

  /** Runs a body where what is on the stack is not 0. */
  when(body: () => void): this {
    this.emit(0x04, 0x40);
    body();
    return this.emit(0x0b);
  }

  /** Its locals and instructions, as they stand in the code section. */
  get body(): Uint8Array {
    const runs: [count: number, type: ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const body = new CodeBytes();
    body.vector(runs, ([count, type]) => body.unsigned(count).byte(type));
    return body.append(this.#code.written).byte(0x0b).written;
  }

  /** An instruction and the number that belongs to it. */
  #numbered(instruction: number, number: number): this {
    this.#code.byte(instruction).unsigned(number);
    return this;
  }
}
