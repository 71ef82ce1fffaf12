import { put } from "./buffers.ts";
import type { Check, Guard } from "./guard.ts";
import { bytesIn } from "./transfer.ts";

/** Submits whose marks the device keeps. */
export const MARKS = 1024;
export const MARK_BYTES = 4 * MARKS;

/** Different marks: those that stand in one place after another differ. */
const TAGS = 4 * MARKS;

/**
 * What each submit leaves on the device to show that it ran: a copy of its number's tag, the last
 * thing that it does. A command buffer that is dropped without an error leaves none.
 */
export class SubmitMarks {
  /** The number of the last submit. */
  last = 0;
  #tags!: GPUBuffer;
  #ring: GPUBuffer | null = null;

  constructor(readonly guard: Guard) {}

  /** Makes the buffers unless they are there, and tells what is wrong with them. */
  prepare(): Check | null {
    if (this.#ring) return null;
    const { device } = this.guard.host;
    const { COPY_SRC, COPY_DST } = GPUBufferUsage;
    const size = 4 * TAGS;
    const [, made] = this.guard.check(() => {
      const label = "gradus marks";
      this.#tags = device.createBuffer({ label, size, usage: COPY_SRC, mappedAtCreation: true });
      const tags = Uint32Array.from({ length: TAGS }, (_, i) => i + 1);
      put([{ bytes: bytesIn(tags), at: 0 }], this.#tags);
      this.#ring = device.createBuffer({ label, size: MARK_BYTES, usage: COPY_SRC | COPY_DST });
    });
    const check = this.guard.inTime(made);
    check.then((failure) => {
      if (failure) this.dispose();
    });
    return check;
  }

  /** Encodes the mark of the next submit, and gives its number. */
  encode(encoder: GPUCommandEncoder): number {
    const mark = ++this.last;
    const ring = this.#ring as GPUBuffer;
    encoder.copyBufferToBuffer(this.#tags, 4 * (mark % TAGS), ring, 4 * (mark % MARKS), 4);
    return mark;
  }

  /** Encodes a copy of all marks. */
  copy(encoder: GPUCommandEncoder, to: GPUBuffer, start: number): void {
    encoder.copyBufferToBuffer(this.#ring as GPUBuffer, 0, to, start, MARK_BYTES);
  }

  dispose(): void {
    this.#ring?.destroy();
    this.#ring = null;
    this.#tags?.destroy();
  }
}

/** Whether marks that were copied behind submit `last` tell that an earlier one ran. */
export function hasRun(marks: Uint32Array, mark: number, last: number): boolean {
  return mark <= last - MARKS || marks[mark % MARKS] === (mark % TAGS) + 1;
}
