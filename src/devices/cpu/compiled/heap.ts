import { bisect } from "../../../core/bisect.ts";
import type { Counters } from "../../../core/counters.ts";
import { DTYPES, type DType, type NumericArray } from "../../../core/dtype.ts";
import type { ArrayStorage } from "../arrays.ts";

/** Bytes of a page of WebAssembly's memory, and how many pages there may be. */
const PAGE = 2 ** 16;
const MOST_PAGES = 2 ** 16;
/** Blocks begin where lines of a cache do. */
const LINE_BYTES = 64;
/** By so much the memory grows at least, as a part of what there is. */
const GROWTH = 1 / 4;

/** Bytes that lie together. */
export interface HeapBlock {
  readonly address: number;
  readonly bytes: number;
}

const NO_BYTES: HeapBlock = { address: 0, bytes: 0 };

/** Values of a tensor in the memory that compiled code works on. */
export class HeapStorage implements ArrayStorage {
  failure: ArrayStorage["failure"] = null;
  #data: NumericArray | null = null;

  constructor(
    readonly heap: Heap,
    readonly dtype: DType,
    readonly size: number,
    readonly block: HeapBlock,
  ) {}

  get bytes(): number {
    return this.size * DTYPES[this.dtype].array.BYTES_PER_ELEMENT;
  }

  /** The values as an array, which is another one after the memory has grown. */
  get data(): NumericArray {
    const { heap, dtype, size, block } = this;
    if (this.#data?.buffer !== heap.buffer) this.#data = heap.view(dtype, block.address, size);
    return this.#data;
  }
}

/**
 * One growing memory, in which blocks are given and taken back. A free one goes to who asks for as
 * much or a little less; neighbours that are free become one.
 */
export class Heap {
  /** What lies in the memory now; it is another one after the memory has grown. */
  buffer: ArrayBuffer;
  /** Free blocks, by address. */
  readonly #free: HeapBlock[] = [];
  /** Nothing at or behind it has been given; the first granule belongs to what has no bytes. */
  #end = LINE_BYTES;
  #count = 0;
  #bytes = 0;

  /** Frees what is spare, where the memory cannot grow. */
  trim: () => void = () => {};

  /** @param memory that of one page, which threads may share. */
  constructor(
    readonly counters: Counters,
    readonly memory = new WebAssembly.Memory({ initial: 1 }),
  ) {
    this.buffer = memory.buffer;
  }

  get usage(): { buffers: number; bytes: number } {
    return { buffers: this.#count, bytes: this.#bytes };
  }

  /**
   * Gives a block of at least so many bytes, which hold anything, as a buffer of a tensor or a plan.
   * @throws RangeError where there is no room, even when all that is spare has been freed.
   */
  take(wanted: number): HeapBlock {
    const block = this.reserve(wanted);
    this.counters.add("buffers");
    this.#count++;
    this.#bytes += block.bytes;
    return block;
  }

  /** Takes a buffer back. */
  give(block: HeapBlock): void {
    this.#count--;
    this.#bytes -= block.bytes;
    this.free(block);
  }

  /**
   * Gives a block that is no buffer, as that of the addresses of a plan's buffers.
   * @throws RangeError as `take`.
   */
  reserve(wanted: number): HeapBlock {
    const bytes = LINE_BYTES * Math.ceil(wanted / LINE_BYTES);
    let block = this.#find(bytes);
    if (!block) {
      this.trim();
      block = this.#find(bytes);
    }
    if (!block) {
      throw new RangeError(`no room for ${wanted} bytes beside ${this.#bytes} in one memory`);
    }
    return block;
  }

  /** Takes a reserved block back. */
  free(block: HeapBlock): void {
    let { address, bytes } = block;
    if (bytes === 0) return;
    const at = bisect(this.#free, (other) => other.address < address);
    const after = this.#free[at];
    const before = this.#free[at - 1];
    const isBefore = !!before && before.address + before.bytes === address;
    const isAfter = !!after && address + bytes === after.address;
    if (isAfter) bytes += after.bytes;
    if (isBefore) {
      address = before.address;
      bytes += before.bytes;
    }
    const merged = { address, bytes };
    this.#free.splice(at - Number(isBefore), Number(isBefore) + Number(isAfter), merged);
    if (address + bytes === this.#end) {
      this.#free.pop();
      this.#end = address;
    }
  }

  /** Sees a place as elements of a dtype. */
  view(dtype: DType, address: number, size: number): NumericArray {
    return new DTYPES[dtype].array(this.buffer, address, size);
  }

  /** Makes room for values of a dtype. */
  store(dtype: DType, size: number): HeapStorage {
    const bytes = size * DTYPES[dtype].array.BYTES_PER_ELEMENT;
    return new HeapStorage(this, dtype, size, this.take(bytes));
  }

  /** Sees a row of values, given its size, where it lies. */
  row({ block }: HeapStorage, dtype: DType, row: number, size: number): HeapStorage {
    const bytes = size * DTYPES[dtype].array.BYTES_PER_ELEMENT;
    return new HeapStorage(this, dtype, size, { address: block.address + row * bytes, bytes });
  }

  /** The smallest free block that is large enough, cut to size. */
  #reuse(bytes: number): HeapBlock | null {
    const free = this.#free;
    let best = -1;
    for (let i = 0; i < free.length && free[best]?.bytes !== bytes; i++) {
      if (free[i].bytes >= bytes && !(free[best]?.bytes <= free[i].bytes)) best = i;
    }
    if (best < 0) return null;
    const { address, bytes: all } = free[best];
    if (all === bytes) return free.splice(best, 1)[0];
    free[best] = { address: address + bytes, bytes: all - bytes };
    return { address, bytes };
  }

  #find(bytes: number): HeapBlock | null {
    return bytes === 0 ? NO_BYTES : (this.#reuse(bytes) ?? this.#extend(bytes));
  }

  #extend(bytes: number): HeapBlock | null {
    const address = this.#end;
    const pages = this.buffer.byteLength / PAGE;
    // Code may read some elements beyond a block's end, and leaves them alone.
    const missing = Math.ceil((address + bytes + LINE_BYTES) / PAGE) - pages;
    const wish = Math.min(MOST_PAGES - pages, Math.ceil(pages * GROWTH));
    if (missing > 0 && !this.#grow(Math.max(missing, wish)) && !this.#grow(missing)) return null;
    this.#end = address + bytes;
    return { address, bytes };
  }

  #grow(pages: number): boolean {
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.buffer = this.memory.buffer;
    return true;
  }
}
