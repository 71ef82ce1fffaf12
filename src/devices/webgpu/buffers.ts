import { DeviceError } from "../../core/errors.ts";
import type { Counters } from "../../engine/counters.ts";
import type { Storage } from "../../graph/backend.ts";

/** A tensor's values in a buffer. */
export interface BufferStorage extends Storage {
  readonly buffer: GPUBuffer;
  /** Tells buffers apart in keys. */
  readonly id: number;
  /** Where it came from, and goes when it is freed: each session has its own. */
  readonly pool: BufferPool;
}

let created = 0;

/** Throws a `DeviceError` when `bytes` are more than one buffer holds; `what` begins the message. */
export function checkFits(what: string, bytes: number, limits: GPUSupportedLimits): void {
  const limit = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  if (bytes <= limit) return;
  throw new DeviceError(
    `${what} ${bytes} bytes; expected at most ${limit}, the adapter's limit for one buffer`,
  );
}

/** Spare bytes above which freed buffers are destroyed instead of kept. */
const SPARE_LIMIT = 256 * 2 ** 20;

/** Sizes are rounded up to this, so that near equal ones share buffers and vectors never overhang. */
const GRANULE = 256;

/** Buffers by size: what is freed serves the next request of that size. */
export class BufferPool {
  readonly #spare = new Map<number, BufferStorage[]>();
  #spareBytes = 0;
  #buffers = 0;
  #bytes = 0;

  constructor(
    readonly device: GPUDevice,
    readonly usage: GPUBufferUsageFlags,
    readonly label: string,
    readonly counters: Counters,
    /** Submits what was recorded and may use a buffer that is about to be destroyed. */
    readonly flush: () => void = () => {},
  ) {}

  get buffers(): number {
    return this.#buffers;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Gives a buffer of at least `bytes` bytes, whose contents are undefined. */
  acquire(bytes: number): BufferStorage {
    const size = Math.max(GRANULE, Math.ceil(bytes / GRANULE) * GRANULE);
    const spare = this.#spare.get(size)?.pop();
    if (spare) {
      this.#spareBytes -= size;
      return spare;
    }
    this.counters.add("buffers");
    this.#buffers++;
    this.#bytes += size;
    const label = `gradus ${this.label} ${size} B`;
    const buffer = this.device.createBuffer({ label, size, usage: this.usage });
    return { bytes: size, failure: null, buffer, id: created++, pool: this };
  }

  /** Takes a buffer back; work that was recorded may still use it. */
  release(storage: Storage): void {
    const own = storage as BufferStorage;
    if (this.#spareBytes + own.bytes > SPARE_LIMIT) {
      this.drop(own);
      return;
    }
    const list = this.#spare.get(own.bytes);
    if (list) list.push(own);
    else this.#spare.set(own.bytes, [own]);
    this.#spareBytes += own.bytes;
  }

  /** Destroys a buffer that was acquired, when what was recorded with it has been submitted. */
  drop(storage: BufferStorage): void {
    this.flush();
    this.#destroy(storage);
  }

  /** Destroys the spare buffers. */
  clear(): void {
    for (const list of this.#spare.values()) for (const storage of list) this.#destroy(storage);
    this.#spare.clear();
    this.#spareBytes = 0;
  }

  #destroy(storage: BufferStorage): void {
    this.#buffers--;
    this.#bytes -= storage.bytes;
    storage.buffer.destroy();
  }
}
