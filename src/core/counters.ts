/** What a device was asked to do; counts are exact, on emulated GPUs too. */
export interface Counts {
  /** Kernels run. */
  readonly dispatches: number;
  /** Queue submits, those of reads included. */
  readonly submits: number;
  /** Buffers created. */
  readonly buffers: number;
  /** Bind groups created. */
  readonly bindGroups: number;
  /** Pipelines created. */
  readonly pipelines: number;
  /** Uploads. */
  readonly writes: number;
  /** Copies to the host, of one value or of several at once. */
  readonly reads: number;
}

const NONE: Record<keyof Counts, number> = {
  dispatches: 0,
  submits: 0,
  buffers: 0,
  bindGroups: 0,
  pipelines: 0,
  writes: 0,
  reads: 0,
};

/** Counts what a device does from its beginning. */
export class Counters {
  readonly #counts: Record<keyof Counts, number> = { ...NONE };

  /** Adds to one count. */
  add(name: keyof Counts, n = 1): void {
    this.#counts[name] += n;
  }

  /** The counts so far: a mark for `since`. */
  get now(): Counts {
    return { ...this.#counts };
  }

  /** The counts since a mark. */
  since(mark: Counts): Counts {
    const names = Object.keys(NONE) as (keyof Counts)[];
    const pairs = names.map((name) => [name, this.#counts[name] - mark[name]]);
    return Object.fromEntries(pairs) as Counts;
  }
}
