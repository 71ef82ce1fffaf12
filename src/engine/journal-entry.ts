import type { NumericArray } from "../core/dtype.ts";
import type { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import type { Plan } from "./plan.ts";
import type { Source } from "./sources.ts";

/** A plan that can run again on other nodes. */
export interface Rerun {
  readonly op: string;
  readonly plan: Plan;
  readonly sources: readonly Source[];
  readonly outputs: readonly Node[];
  /** The states that it changes. */
  readonly assigned: readonly State[];
  /** Told of each run that is lost and cannot be made again. */
  readonly onDropped: (() => void) | undefined;
  /** Frees what a run has made again of a plan that was disposed. */
  leave(): void;
}

/** Hears of each run that changes states, whether or not it is noted. */
export interface RunObserver {
  /** Told of a run before it is enqueued, and what it is given. */
  begin(replay: Rerun, nodes: readonly (Node | null)[]): void;
  /** Told behind it; gives what to wait for. */
  rest(): Promise<void> | null;
}

/** Runs of a compiled function, one or, where they are given nothing, many alike. */
export interface RunEntry {
  readonly kind: "run";
  readonly replay: Rerun;
  /** What it was given; null for what cannot be had again. */
  readonly given: readonly (Node | null)[];
  readonly outputs: readonly WeakRef<Node>[];
  times: number;
}

/** New values of states. */
export interface AssignEntry {
  readonly kind: "assign";
  readonly states: readonly State[];
  readonly values: readonly (Node | null)[];
}

/** A read that is under way. */
export interface ReadEntry {
  readonly kind: "read";
  readonly nodes: readonly (Node | null)[];
  readonly op: string;
  readonly resolve: (values: NumericArray[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Notes that a run has been enqueued, which gives these. */
export type Note = (outputs: readonly Node[]) => void;

export type JournalEntry = RunEntry | AssignEntry | ReadEntry | { readonly kind: "mark" };

/** A state's value when the journal begins. */
export interface InitialValue {
  readonly version: number;
  readonly value: NumericArray | Node | null;
  /** Whether the journal has a later one. */
  isChanged: boolean;
}
