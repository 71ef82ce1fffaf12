import type { Storage } from "./device.ts";
import type { Node } from "./node.ts";
import type { State } from "./state.ts";
import type { Tensor } from "./tensor.ts";
import type { TracedAssignment } from "./tracing.ts";

/** What `debug` is told while graphs are built and computed. */
export interface Watch {
  /** Whether the turns of loops are told of one by one, so that loops are taken apart. */
  readonly seesTurns: boolean;
  /** Tells of a node that an op has added. */
  added(node: Node): void;
  /** Runs what adds a node's part of a gradient. */
  gradient(node: Node, build: () => void): void;
  /** Runs what gives an optimizer's assignments. */
  updates<A extends readonly (readonly [State, Tensor])[]>(kind: string, build: () => A): A;
  /** Gives indices as they are, and checks when they are computed that each is in [0, size) or `ignored`. */
  indices(op: string, x: Tensor, size: number, ignored?: number | null): Tensor;
  /** Adds what tells of nodes that are going to be computed; what it gives is called afterwards. */
  evaluation(op: string, wanted: Node[]): () => void;
  /** Waits for what was told of the evaluations so far, for who has read a node. */
  settled(nodes: readonly Node[]): Promise<void>;
  /**
   * Adds what tells of each run of a compiled function; null where there is nothing to tell.
   * @param inputs nodes that each run is given, by the input that they are made of.
   * @param count gives the number of the next run; runs are counted when left out.
   */
  compiled(
    args: readonly unknown[],
    naming: { readonly op: string; readonly parameters: readonly string[] },
    inputs: ReadonlyMap<Node, { readonly index: number }>,
    results: readonly Node[],
    assignments: readonly TracedAssignment<State>[],
    count?: () => number,
  ): WatchedRuns | null;
}

/** The runs of a compiled function that are checked: states change when one is known to be right. */
export interface WatchedRuns {
  /** What the plan gives: results, the states' new values, and what tells of all of them. */
  readonly outputs: readonly Node[];
  /**
   * Takes what a run gave, and settles its results unless something is wrong; by the promise's `settle`
   * before that is known, where somebody cannot wait for it.
   */
  finish<R>(
    storages: readonly Storage[],
    settle: (results: Storage[]) => R,
  ): Promise<R> & { settle(): void };
}

/** Who watches; null unless `debug` is on. */
export let watch: Watch | null = null;

/** Lets someone watch, or nobody. */
export function setWatch(next: Watch | null): void {
  watch = next;
}
