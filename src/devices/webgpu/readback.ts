import type { Counters } from "../../core/counters.ts";
import { allocate, type NumericArray } from "../../core/dtype.ts";
import type { Download } from "../../engine/session.ts";
import { BufferPool, type BufferStorage } from "./buffers.ts";
import { asGradus, type Guard } from "./guard.ts";
import type { Log } from "./log.ts";
import { hasRun, MARK_BYTES, MARKS, type SubmitMarks } from "./marks.ts";
import type { SubmitQueue } from "./submit-queue.ts";
import { bytesOf, fromGpu } from "./transfer.ts";
import { settles } from "./within.ts";

/** Values that lie one behind the other in a staging buffer. */
interface Readback {
  bytes: number;
  readonly parts: (Download & { readonly start: number; readonly bytes: number })[];
}

/** Groups what is wanted, in order and without what is empty, by what a buffer holds. */
export function groupsOf(wanted: readonly Download[], limit: number): Readback[] {
  const groups: Readback[] = [];
  for (const part of wanted) {
    const bytes = bytesOf(part.dtype, part.size);
    if (bytes === 0) continue;
    let last = groups.at(-1);
    if (!last || last.bytes + bytes > limit) {
      last = { bytes: 0, parts: [] };
      groups.push(last);
    }
    last.parts.push({ ...part, start: last.bytes, bytes });
    last.bytes += bytes;
  }
  return groups;
}

/** What reads need of their session. */
interface ReaderHost {
  readonly guard: Guard;
  readonly log: Log;
  readonly marks: SubmitMarks;
  readonly queue: SubmitQueue;
  readonly counters: Counters;
  readonly timeout: number;
}

/** Copies values to the host through staging buffers, and the marks of submits with them. */
export class Reader {
  readonly staging: BufferPool;

  constructor(readonly host: ReaderHost) {
    const { MAP_READ, COPY_DST } = GPUBufferUsage;
    this.staging = new BufferPool(host.guard, MAP_READ | COPY_DST, "staging", host.counters);
  }

  /**
   * Copies values as they are behind all work recorded so far, in one submit.
   * @throws GradusError with what spoiled one of them, or went wrong with the copies.
   */
  async read(wanted: readonly Download[]): Promise<NumericArray[]> {
    const groups = groupsOf(wanted, this.#limit);
    const values = (groups.length > 0 ? await this.#copy(wanted, groups) : []).values();
    return wanted.map(({ dtype, size }) => {
      return size > 0 ? (values.next().value as NumericArray) : allocate(dtype, 0);
    });
  }

  /** Looks which submits ran; what did not run is spoiled. */
  async verify(): Promise<void> {
    await this.#copy([], [{ bytes: 0, parts: [] }]).catch(() => {});
  }

  get #limit(): number {
    return this.host.guard.host.device.limits.maxBufferSize;
  }

  async #copy(wanted: readonly Download[], groups: Readback[]): Promise<NumericArray[]> {
    const room = this.#limit - MARK_BYTES;
    if (groups[groups.length - 1].bytes > room) groups.push({ bytes: 0, parts: [] }); // for the marks
    const { guard, log, marks, queue, timeout } = this.host;
    const { op } = guard;
    const end = groups.length - 1;
    const staged: BufferStorage[] = [];
    let isGood = false;
    try {
      const sizes = groups.map(({ bytes }, i) => bytes + (i === end ? MARK_BYTES : 0));
      staged.push(...this.staging.acquireAll(sizes));
      const entry = queue.submit(
        "gradus read",
        { reads: wanted.map(({ storage }) => storage), writes: staged },
        (encoder) => {
          for (const [i, { parts }] of groups.entries()) {
            for (const { storage, start, bytes } of parts) {
              const { buffer, offset } = storage as BufferStorage;
              encoder.copyBufferToBuffer(buffer, offset, staged[i].buffer, start, bytes);
            }
          }
        },
        (encoder) => marks.copy(encoder, staged[end].buffer, groups[end].bytes),
      );
      const mapped = await Promise.allSettled(staged.map(({ buffer }) => this.#map(op, buffer)));
      await log.settle(entry, timeout);
      const last = mapped[end];
      if (!entry.failure && last.status === "fulfilled") {
        const found = new Uint32Array(last.value, groups[end].bytes, MARKS);
        log.verify(entry, (mark) => hasRun(found, mark, entry.mark as number));
      }
      for (const { failure } of staged) if (failure) throw failure;
      const values = mapped.flatMap((result, i) => {
        if (result.status === "rejected") throw result.reason;
        return groups[i].parts.map(({ start, dtype, size }) =>
          fromGpu(result.value, start, dtype, size),
        );
      });
      for (const { buffer } of staged) buffer.unmap();
      isGood = true;
      return values;
    } catch (error) {
      throw asGradus(op, error);
    } finally {
      for (const storage of staged) {
        const isFree = isGood && storage.buffer.mapState !== "mapped";
        this.staging[isFree ? "release" : "drop"](storage);
      }
    }
  }

  /** Waits for a staging buffer's bytes: long while the device is at work, else not. */
  async #map(op: string, buffer: GPUBuffer): Promise<ArrayBuffer> {
    const { guard, timeout } = this.host;
    const [mapping] = guard.check(() => buffer.mapAsync(GPUMapMode.READ));
    if (!(await settles(mapping, timeout))) {
      await settles(guard.host.device.queue.onSubmittedWorkDone(), 10 * timeout);
    }
    await guard.answer(op, "mapAsync", mapping);
    return buffer.getMappedRange();
  }
}
