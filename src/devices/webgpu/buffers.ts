import type { Counters } from "../../core/counters.ts";
import { DeviceError, type HeldBytes } from "../../core/errors.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import type { Life, Storage } from "../../graph/device.ts";
import type { Check, Guard } from "./guard.ts";
import { takeAll } from "./take-all.ts";

/** A buffer, whoever has it at the time. */
interface Block {
  readonly bytes: number;
  readonly buffer: GPUBuffer;
  readonly id: number;
  /** What it is for. */
  use: keyof HeldBytes;
  /** Tells whether it could be made; null as soon as that is known. */
  check: Check | null;
  /** Whether it was destroyed, or never was. */
  isGone: boolean;
  /** What lies in it. */
  readonly storages: Set<BufferStorage>;
}

/** A tensor's values in a buffer: each time that room is given out, another storage. */
export class BufferStorage implements Storage {
  failure: Storage["failure"] = null;
  /** Where it begins, in bytes. */
  offset = 0;

  constructor(
    readonly bytes: number,
    /** Where it came from, and goes when it is freed: each session has its own. */
    readonly pool: BufferPool,
    /** The buffer in which it lies at present, alone or with others. */
    public block: Block,
  ) {
    block.storages.add(this);
  }

  get life(): Life {
    return this.pool.life;
  }

  get buffer(): GPUBuffer {
    return this.block.buffer;
  }

  /** Tells places apart in keys. */
  get place(): string {
    return `${this.block.id}+${this.offset}`;
  }
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

/** What a buffer has from byte `at` on. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Fills a buffer that is mapped; destroys it where that fails. */
export function put(parts: readonly Segment[], buffer: GPUBuffer): void {
  try {
    const all = new Uint8Array(buffer.getMappedRange());
    for (const { bytes, at } of parts) all.set(bytes, at);
    buffer.unmap();
    if (buffer.mapState === "mapped") throw new Error("a buffer stays mapped");
  } catch (error) {
    buffer.destroy();
    throw error;
  }
}

/** Spare bytes above which freed buffers are destroyed instead of kept. */
const SPARE_LIMIT = 256 * 2 ** 20;

/**
 * Sizes are rounded up to this, so that near equal ones share buffers and vectors never overhang; the
 * part of a buffer that a kernel reads as uniform data may begin at its multiples.
 */
export const GRANULE = 256;

function sizeFor(bytes: number): number {
  return GRANULE * Math.ceil(bytes / GRANULE || 1);
}

/** Buffers by size: what is freed serves the next request of that size. */
export class BufferPool {
  readonly life: Life = { isOver: false };
  /** How often storages were gathered: from then on they lie elsewhere. */
  moves = 0;
  readonly #spare = new Map<number, Block[]>();
  readonly #held: Record<keyof HeldBytes, number> = { tensors: 0, plans: 0, spare: 0 };
  #buffers = 0;

  constructor(
    readonly guard: Guard,
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
    const { tensors, plans, spare } = this.#held;
    return tensors + plans + spare;
  }
  /** Bytes by what they are for. */
  get held(): HeldBytes {
    return { ...this.#held };
  }

  /**
   * Gives a buffer of at least `bytes` bytes, whose contents are undefined. Whether it could be made
   * is known later, by the guard.
   */
  acquire(bytes: number, use: Block["use"] = "tensors"): BufferStorage {
    return this.#give(this.#spare.get(sizeFor(bytes))?.pop() ?? this.#create(bytes), use);
  }

  /** Gives a new buffer with values in it. */
  hold(bytes: Uint8Array, use: Block["use"] = "tensors"): BufferStorage {
    return this.#give(this.#create(bytes.length, { bytes, at: 0 }), use);
  }

  /** Whether a spare buffer serves for so many bytes. */
  hasSpare(bytes: number): unknown {
    return this.#spare.get(sizeFor(bytes))?.length;
  }

  #give(block: Block, use: Block["use"]): BufferStorage {
    this.guard.add(block.check);
    this.#turn(block, use);
    return new BufferStorage(block.bytes, this, block);
  }

  /** Gives a buffer for each size, or none. */
  acquireAll(sizes: readonly number[], use?: Block["use"]): BufferStorage[] {
    return takeAll(
      sizes,
      (bytes) => this.acquire(bytes, use),
      (storage) => this.release(storage),
    );
  }

  /** Takes room back, and the buffer when nothing else lies there; recorded work may still use it. */
  release(storage: Storage): void {
    const { block } = storage as BufferStorage;
    block.storages.delete(storage as BufferStorage);
    if (block.isGone || block.storages.size > 0) return;
    this.#turn(block, "spare");
    if (this.#held.spare > SPARE_LIMIT) {
      this.drop(storage as BufferStorage);
      return;
    }
    getOrInsert(this.#spare, block.bytes, () => []).push(block);
  }

  /** Destroys a buffer that was acquired, when what was recorded with it has been submitted. */
  drop({ block }: BufferStorage): void {
    this.flush();
    this.#destroy(block);
  }

  /** Destroys the spare buffers, when what was recorded with them has been submitted. */
  clear(): void {
    this.flush();
    const blocks = [...this.#spare.values()].flat();
    this.#spare.clear();
    for (const block of blocks) this.#destroy(block);
  }

  #create(bytes: number, values?: Segment): Block {
    const size = sizeFor(bytes);
    let block: Block | null = null;
    const label = `gradus ${this.label} ${size} B`;
    const { device } = this.guard.host;
    const mappedAtCreation = !!values;
    const [buffer, found] = this.guard.check(
      () => {
        const buffer = device.createBuffer({ label, size, usage: this.usage, mappedAtCreation });
        if (values) put([values], buffer);
        return buffer;
      },
      () => {
        if (block) this.#forget(block);
        return size;
      },
    );
    const check = this.guard.inTime(found);
    this.counters.add("buffers");
    this.#buffers++;
    this.#held.spare += size;
    const id = created++;
    const storages = new Set<BufferStorage>();
    const made: Block = { bytes: size, buffer, id, use: "spare", check, isGone: false, storages };
    block = made;
    check.then((failure) => {
      made.check = null;
      if (failure) this.#forget(made);
    });
    return made;
  }

  /** Lets nobody have a buffer again. */
  #forget(block: Block): void {
    const others = this.#spare.get(block.bytes)?.filter((other) => other !== block);
    if (others) this.#spare.set(block.bytes, others);
    this.#destroy(block);
  }

  #turn(block: Block, use: Block["use"]): void {
    this.#held[block.use] -= block.bytes;
    this.#held[use] += block.bytes;
    block.use = use;
  }

  #destroy(block: Block): void {
    if (block.isGone) return;
    block.isGone = true;
    this.#buffers--;
    this.#held[block.use] -= block.bytes;
    block.buffer.destroy();
  }
}
