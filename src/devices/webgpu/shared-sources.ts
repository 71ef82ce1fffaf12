import type { Program } from "../../engine/program.ts";
import { total } from "../../engine/stats.ts";
import { type BufferPool, type BufferStorage, GRANULE } from "./buffers.ts";
import type { SubmitQueue } from "./submit-queue.ts";
import { bytesIn, stepBytes } from "./transfer.ts";

/** What moving storages needs of its session. */
interface MoveHost {
  readonly pool: BufferPool;
  readonly queue: SubmitQueue;
}

/** States of a plan that lie in one buffer when it runs, for each such buffer. */
export class SharedSources {
  /** Room to gather them in, reserved before the first run. */
  readonly #rooms: BufferStorage[] = [];
  /** The places of those states among the sources. */
  readonly groups: readonly (readonly number[])[];
  readonly #sizes: readonly number[];
  readonly #placeOf: ReadonlyMap<number, number>;
  /** Words that tell where states begin in their buffers. */
  #starts: readonly (readonly [word: number, source: number])[] = [];
  #isArranged = false;

  constructor(
    program: Program,
    states: readonly (readonly number[])[],
    /** Bytes of one buffer, at the most. */
    readonly most: number,
  ) {
    this.#placeOf = new Map(program.sources.map((step, i) => [step, i]));
    this.groups = states.map((steps) => steps.map((step) => this.#placeOf.get(step) as number));
    this.#sizes = states.map((steps) =>
      total(steps.map((step) => inGranules(stepBytes(program, step)))),
    );
  }

  /** The key of each shared buffer, and the first source that lies there. */
  get firsts(): readonly (readonly [key: number, source: number])[] {
    return this.groups.map(([first], i) => [-1 - i, first]);
  }

  /** Takes note of the words of a plan that stand for where a state begins. */
  find(words: readonly number[]): void {
    this.#starts = words.flatMap((word, i) =>
      word < 0 ? [[i, this.#placeOf.get(-1 - word) as number] as const] : [],
    );
  }

  /** Acquires room, if none was. */
  reserve(pool: BufferPool): void {
    const isDone = this.#isArranged || this.#rooms.length > 0;
    if (!isDone) this.#rooms.push(...pool.acquireAll(this.#sizes));
  }

  dispose(pool: BufferPool): void {
    for (const room of this.#rooms.splice(0)) pool.release(room);
  }

  /** Gathers states that do not lie together, and writes to `numbers` where all begin. */
  gather(
    host: MoveHost,
    sources: readonly BufferStorage[],
    numbers: BufferStorage,
    words: Uint32Array,
  ): void {
    for (const group of this.groups) {
      const own = group.map((i) => sources[i]);
      if (own.every(({ block }) => block === own[0].block)) continue;
      const all = united(own, this.most);
      const fitting = this.#rooms.findIndex(({ bytes }) => bytes >= bytesOfAll(all));
      moveTogether(host, all, fitting < 0 ? undefined : this.#rooms.splice(fitting, 1)[0]);
    }
    this.dispose(host.pool);
    this.#isArranged = true;
    const told = words.slice();
    for (const [i, source] of this.#starts) told[i] = sources[source].offset / 4;
    if (told.every((word, i) => word === words[i])) return;
    host.queue.upload(numbers, bytesIn(told));
    words.set(told);
  }
}

/** Bytes that a value takes of a buffer. */
export function inGranules(bytes: number): number {
  return Math.ceil(bytes / GRANULE) * GRANULE;
}

/** Storages and what shares buffers with them, which moves with them if there is room for all. */
function united(storages: readonly BufferStorage[], most: number): BufferStorage[] {
  const all = new Set(storages.flatMap((storage) => [storage, ...storage.block.storages]));
  return bytesOfAll(all) <= most ? [...all] : [...storages];
}

function bytesOfAll(storages: Iterable<BufferStorage>): number {
  return total([...storages].map(({ bytes }) => bytes));
}

/** Has a run's sources lie where its kernels look for them, and tells these where in `numbers`. */
export function arrange(
  host: MoveHost,
  sources: readonly BufferStorage[],
  isWritten: readonly boolean[],
  shared: SharedSources | null,
  numbers: BufferStorage,
  words: Uint32Array,
): void {
  shared?.gather(host, sources, numbers, words);
  // What is only read lies in no buffer that is written.
  const written = sources.filter((_, i) => isWritten[i]);
  const blocks = new Set(written.map(({ block }) => block));
  const placed = new Set([...written, ...(shared?.groups.flat() ?? []).map((i) => sources[i])]);
  for (const storage of sources) {
    if (!placed.has(storage) && blocks.has(storage.block)) moveTogether(host, [storage]);
  }
}

/** Copies what storages hold into one buffer, `room` or a new one, where they lie from then on. */
function moveTogether(
  { pool, queue }: MoveHost,
  storages: readonly BufferStorage[],
  room = pool.acquire(bytesOfAll(storages)),
): void {
  const { block } = room;
  let end = 0;
  const offsets = storages.map(({ bytes }) => {
    end += bytes;
    return end - bytes;
  });
  const work = { reads: storages, writes: storages };
  try {
    const { failure } = queue.submit("gradus gather", work, (encoder) => {
      storages.forEach(({ buffer, offset, bytes }, i) => {
        encoder.copyBufferToBuffer(buffer, offset, block.buffer, offsets[i], bytes);
      });
    });
    if (failure) {
      for (const storage of storages) storage.failure = null; // nothing was done
      throw failure;
    }
  } catch (error) {
    pool.release(room);
    throw error;
  }
  storages.forEach((storage, i) => {
    pool.release(storage);
    storage.block = block;
    storage.offset = offsets[i];
    block.storages.add(storage);
  });
  pool.release(room);
  pool.moves++;
}
