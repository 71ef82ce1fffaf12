import { foldIn, type Key, randomUniform } from "gradus";

/** Numbers drawn at once. */
const BLOCK = 4096;

/** Uniform numbers in [0, 1) for the host, the same for the same key. */
export class Draws {
  #block: Float32Array = new Float32Array(0);
  #at = 0;
  #blocks = 0;

  constructor(readonly key: Key) {}

  /** Sees to it that so many numbers, at most 4,096, can be taken. */
  async prepare(count: number): Promise<void> {
    if (this.#at + count <= this.#block.length) return;
    using numbers = randomUniform([BLOCK], { key: foldIn(this.key, this.#blocks++) });
    this.#block = (await numbers.data()) as Float32Array;
    this.#at = 0;
  }

  /** Takes the next one. */
  next(): number {
    return this.#block[this.#at++];
  }

  /** Takes the next ones. */
  take(count: number): Float32Array {
    this.#at += count;
    return this.#block.subarray(this.#at - count, this.#at);
  }
}
