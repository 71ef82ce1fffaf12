/*
 * WebAssembly as bytes: https://webassembly.github.io/spec/core/binary/. A function is written
 * instruction by instruction; a module is put together of functions.
 */

/** Types of values, by their bytes. */
export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F32 | typeof V128;

/** Writes a whole number from 0 on in as few bytes as it takes. */
export function unsignedBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

/** Writes a whole number of 32 bits with its sign; a u32 is taken by its bits. */
export function signedBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = rest === (low & 0x40 ? -1 : 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** The body of one function, as it is being written. */
export class FunctionWriter {
  readonly bytes: number[] = [];
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
    this.bytes.push(...bytes);
    return this;
  }

  get(local: number): this {
    return this.emit(0x20, ...unsignedBytes(local));
  }

  set(local: number): this {
    return this.emit(0x21, ...unsignedBytes(local));
  }

  tee(local: number): this {
    return this.emit(0x22, ...unsignedBytes(local));
  }

  /** An i32. */
  i32(value: number): this {
    return this.emit(0x41, ...signedBytes(value));
  }

  f32(value: number): this {
    return this.emit(0x43, ...new Uint8Array(Float32Array.of(value).buffer));
  }

  /** An instruction on vectors, by its number behind the prefix. */
  simd(code: number, ...operands: readonly number[]): this {
    return this.emit(0xfd, ...unsignedBytes(code), ...operands);
  }

  /** A load or store of one number at an address on the stack, of 2^align bytes. */
  memory(code: number, align: number, offset: number): this {
    return this.emit(code, align, ...unsignedBytes(offset));
  }

  /** A load or store of a vector. */
  vectorMemory(code: number, align: number, offset: number, ...lane: readonly number[]): this {
    return this.simd(code, align, ...unsignedBytes(offset), ...lane);
  }

  call(index: number): this {
    return this.emit(0x10, ...unsignedBytes(index));
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

  /** Runs a body for index = 0, step, … until it is `end`, at least once. */
  count(index: number, step: number, end: number, body: () => void): this {
    this.i32(0).set(index);
    return this.repeat(() => {
      body();
      this.get(index).i32(step).emit(0x6a).tee(index).i32(end).emit(0x47);
    });
  }

  /** Runs a body where what is on the stack is not 0. */
  when(body: () => void): this {
    this.emit(0x04, 0x40);
    body();
    return this.emit(0x0b);
  }

  /** The entry of the code section. */
  get entry(): number[] {
    const runs: [count: number, type: ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const locals = runs.flatMap(([count, type]) => [...unsignedBytes(count), type]);
    const body = [...unsignedBytes(runs.length), ...locals, ...this.bytes, 0x0b];
    return [...unsignedBytes(body.length), ...body];
  }
}
