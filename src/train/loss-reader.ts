import type { Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";

/** The losses of some steps in a row, once they have been read. */
export interface LossWindow {
  /** Σ of the losses. */
  readonly sum: number;
  /** How many steps it covers. */
  readonly count: number;
  /** The last of them. */
  readonly step: number;
  /** Whether the last of them is one at which a step is to be reported. */
  readonly report: boolean;
}

/** Steps whose losses are read together. */
const WINDOW = 8;
/** Windows that may be under way on the device while the next one is enqueued. */
const AHEAD = 2;

/**
 * Reads losses a few steps behind the step being enqueued: reads do not stall the device, and the
 * device is never more than some windows behind.
 */
export class LossReader {
  #pending: Tensor[] = [];
  readonly #reads: Promise<LossWindow>[] = [];

  /** Takes charge of a step's loss. */
  push(loss: Tensor, step: number, report: boolean): void {
    this.#pending.push(loss);
    if (report || this.#pending.length === WINDOW) this.flush(step, report);
  }

  /** Starts to read what was pushed last. */
  flush(step: number, report = false): void {
    if (this.#pending.length === 0) return;
    const losses = this.#pending;
    this.#pending = [];
    const read = readSum(losses).then((sum) => ({ sum, count: losses.length, step, report }));
    read.catch(() => {}); // reported when its turn comes
    this.#reads.push(read);
  }

  /** Waits for the oldest window if too many are under way, or if `all` must be read. */
  async next(all = false): Promise<LossWindow | undefined> {
    return this.#reads.length > (all ? 0 : AHEAD) ? this.#reads.shift() : undefined;
  }

  /** Waits for reads under way and frees everything. */
  async close(): Promise<void> {
    for (const loss of this.#pending.splice(0)) loss.dispose();
    await Promise.allSettled(this.#reads.splice(0));
  }
}

async function readSum(losses: readonly Tensor[]): Promise<number> {
  const total = losses.slice(1).reduce((sum, loss) => add(sum, loss), losses[0]);
  try {
    return await total.item();
  } finally {
    for (const x of [...losses, total]) x.dispose();
  }
}
