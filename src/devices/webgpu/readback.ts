import type { NumericArray } from "../../core/dtype.ts";
import type { Download } from "../../engine/device.ts";
import type { BufferStorage } from "./buffers.ts";
import { bytesOf, fromGpu } from "./transfer.ts";

/** Values that lie one behind the other in a staging buffer. */
export class Readback {
  bytes = 0;
  readonly #parts: (Download & { readonly start: number; readonly bytes: number })[] = [];

  /** Groups what is wanted, in order and without what is empty, by what a buffer holds. */
  static group(wanted: readonly Download[], limit: number): Readback[] {
    const groups: Readback[] = [];
    for (const part of wanted) {
      const bytes = bytesOf(part.dtype, part.size);
      if (bytes === 0) continue;
      let last = groups.at(-1);
      if (!last || last.bytes + bytes > limit) {
        last = new Readback();
        groups.push(last);
      }
      last.#parts.push({ ...part, start: last.bytes, bytes });
      last.bytes += bytes;
    }
    return groups;
  }

  /** Encodes the copies into a staging buffer. */
  encode(encoder: GPUCommandEncoder, staging: GPUBuffer): void {
    for (const { storage, start, bytes } of this.#parts) {
      encoder.copyBufferToBuffer((storage as BufferStorage).buffer, 0, staging, start, bytes);
    }
  }

  /** Takes the values out of the staging buffer, which is mapped. */
  values(staging: GPUBuffer): NumericArray[] {
    const mapped = staging.getMappedRange(0, this.bytes);
    return this.#parts.map(({ start, dtype, size }) => fromGpu(mapped, start, dtype, size));
  }
}
