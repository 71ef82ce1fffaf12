/** Bytes of code that are written one behind the other, in WebAssembly's forms. */
export class CodeBytes {
  #all = new Uint8Array(256);
  /** How many there are. */
  length = 0;

  byte(value: number): this {
    if (this.length === this.#all.length) this.#grow(1);
    this.#all[this.length++] = value;
    return this;
  }

  append(values: ArrayLike<number>): this {
    const end = this.length + values.length;
    if (end > this.#all.length) this.#grow(values.length);
    this.#all.set(values, this.length);
    this.length = end;
    return this;
  }

  /** A whole number from 0 on, in as few bytes as it takes. */
  unsigned(value: number): this {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) + 128);
    return this.byte(rest);
  }

  /** A whole number of 32 bits with its sign; a u32 is taken by its bits. */
  signed(value: number): this {
    let rest = value | 0;
    for (; rest < -64 || rest > 63; rest >>= 7) this.byte((rest & 0x7f) | 0x80);
    return this.byte(rest & 0x7f);
  }

  /** How many items there are, and these. */
  vector<T>(items: readonly T[], write: (item: T) => void): this {
    this.unsigned(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** So many bytes and these, as others have written them. */
  block(bytes: Uint8Array): this {
    return this.unsigned(bytes.length).append(bytes);
  }

  /** What has been written. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#all.subarray(0, this.length);
  }

  #grow(wanted: number): void {
    const all = new Uint8Array(Math.max(2 * this.#all.length, this.length + wanted));
    all.set(this.#all);
    this.#all = all;
  }
}
