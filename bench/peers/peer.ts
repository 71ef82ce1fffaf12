import { type DigitBatch, digitBatch } from "../workloads/digits.ts";
import type { Task, Workload } from "../workloads/index.ts";
import type { Network } from "../workloads/networks.ts";

/** How much was made of each kind of thing. */
export type Made = Readonly<Record<string, number>>;

/** A workload made ready on one library: operands uploaded, functions made. */
export interface Prepared {
  /**
   * Runs once, or trains ten steps from the initial weights (one for a first step), and reads all
   * that the reference holds. Called once, before any `run`.
   */
  result(): Promise<ArrayLike<number>>;
  /** Runs some times and waits by reading one value of the last. */
  run(times: number): Promise<void>;
  /** Counts what was made since it was called last; left out where the library does not count. */
  made?(): Made;
  dispose(): void;
}

/** A library on one of its backends. */
export interface Peer {
  /** Names the hardware as far as the library tells. */
  readonly device: string;
  /** Makes a workload ready; null when the library has no such thing. */
  prepare(workload: Workload): Promise<Prepared | null>;
}

/** Makes a task of one kind ready. */
export type Recipe<K extends Task["kind"]> = (
  workload: Workload<Extract<Task, { kind: K }>>,
) => Prepared | Promise<Prepared>;

/** What a library can do, by kind of task; null where it has no such thing. */
export type Recipes = { readonly [K in Task["kind"]]: Recipe<K> | null };

/** Makes a peer of its recipes. */
export function peerOf(device: string, recipes: Recipes): Peer {
  return {
    device,
    prepare: async (workload) => {
      const recipe = recipes[workload.task.kind] as Recipe<Task["kind"]> | null;
      return recipe ? recipe(workload as Workload<never>) : null;
    },
  };
}

/** What a library has only some of. */
export const NOTHING: Recipes = {
  matmul: null,
  chain: null,
  softmax: null,
  sum: null,
  crossEntropy: null,
  train: null,
  trainModel: null,
  firstStep: null,
  infer: null,
  convolution: null,
  learn: null,
  peak: null,
};

/** The steps of a training run: takes the number of a step, gives a handle of its loss. */
export interface Steps<L> {
  step(number: number): L | Promise<L>;
  /** Reads a loss and frees it. */
  read(loss: L): Promise<number>;
  /** Frees a loss that nobody reads. */
  drop(loss: L): void | Promise<void>;
  /** Waits for the rest of the last step; left out where a loss that is read stands behind it all. */
  finish?(): Promise<unknown>;
  /** As that of `Prepared`. */
  made?(): Made;
  dispose(): void;
}

/** Prepares training: checks the first losses, then goes on and reads only the last loss. */
export function preparedSteps<L>(steps: Steps<L>, checked: number): Prepared {
  let done = 0;
  return {
    result: async () => {
      const losses: number[] = [];
      while (losses.length < checked) losses.push(await steps.read(await steps.step(done++)));
      return losses;
    },
    run: async (times) => {
      for (let i = 1; i < times; i++) {
        const dropped = steps.drop(await steps.step(done++));
        if (dropped) await dropped; // no more turns of the event loop than the library takes
      }
      await steps.read(await steps.step(done++));
      await steps.finish?.();
    },
    made: steps.made,
    dispose: () => steps.dispose(),
  };
}

/** A run that learns digits: takes a batch, gives a handle of its loss. */
export interface Learner<L> {
  step(batch: DigitBatch): L | Promise<L>;
  /** Reads a loss and frees it. */
  read(loss: L): Promise<number>;
  drop(loss: L): void | Promise<void>;
  /** The share of the digits that were held out which are recognised. */
  accuracy(): Promise<number>;
  dispose(): void;
}

/** The share at which a run ends, after how many steps it is measured, and when it has failed. */
const [ENOUGH, MEASURED_EACH, MOST_STEPS] = [0.97, 100, 5000];

/** Prepares runs from the initial weights, each until it recognises enough; checks the first losses. */
export function preparedLearning<L>(
  network: Network,
  checked: number,
  begin: () => Learner<L>,
): Prepared {
  const learn = async () => {
    const learner = begin();
    for (let step = 1; step <= MOST_STEPS; step++) {
      await learner.drop(await learner.step(digitBatch(network, step - 1)));
      if (step % MEASURED_EACH > 0 || (await learner.accuracy()) < ENOUGH) continue;
      learner.dispose();
      return;
    }
    throw new Error(`bench: ${MOST_STEPS} steps are not enough; expected an accuracy of ${ENOUGH}`);
  };
  return {
    result: async () => {
      const learner = begin();
      const losses: number[] = [];
      while (losses.length < checked) {
        losses.push(await learner.read(await learner.step(digitBatch(network, losses.length))));
      }
      learner.dispose();
      return losses;
    },
    run: async (times) => {
      for (let i = 0; i < times; i++) await learn();
    },
    dispose: () => {},
  };
}
