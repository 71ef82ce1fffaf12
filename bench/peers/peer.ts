import type { Task, Workload } from "../workloads/index.ts";

/** A workload made ready on one library: operands uploaded, functions made. */
export interface Prepared {
  /**
   * Runs once, or trains ten steps from the initial weights (one for a first step), and reads all
   * that the reference holds. Called once, before any `run`.
   */
  result(): Promise<ArrayLike<number>>;
  /** Runs some times and waits by reading one value of the last. */
  run(times: number): Promise<void>;
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

/** The steps of a training run: takes the number of a step, gives a handle of its loss. */
export interface Steps<L> {
  step(number: number): L | Promise<L>;
  /** Reads a loss and frees it. */
  read(loss: L): Promise<number>;
  /** Frees a loss that nobody reads. */
  drop(loss: L): void | Promise<void>;
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
      for (let i = 1; i < times; i++) await steps.drop(await steps.step(done++));
      await steps.read(await steps.step(done++));
    },
    dispose: () => steps.dispose(),
  };
}
