import { GradusError } from "../core/errors.ts";
import { type Node, nextNodeId } from "./node.ts";

/** What a trace needs of a state. */
export interface Assignable {
  /** Points at another node and gives the one before. */
  point(node: Node): Node;
}

/** A state that a traced function assigned: its node before, and that of its last new value. */
export interface TracedAssignment<S extends Assignable> {
  readonly state: S;
  readonly original: Node;
  readonly value: Node;
}

/** What is done with a function whose graph stands for more runs than the one that is traced. */
export type Purpose = "compiled" | "mapped";

let assigned: Map<Assignable, Node> | null = null;

/** Whether a function is being traced, so that nothing may be computed. */
export function isTracing(): boolean {
  return assigned !== null;
}

/**
 * Throws a `GradusError` in a function that is being traced.
 * @param expected what belongs there, and what to do.
 */
export function checkUntraced(op: string, expected: string): void {
  if (!isTracing()) return;
  throw new GradusError(`${op}: called in a function that is being compiled; expected ${expected}`);
}

/** What is done with the function being traced; null where its graph stands for this run alone. */
export let tracePurpose: Purpose | null = null;

/** Whether a function is being traced to be compiled, however deep inside. */
export let isCompiling = false;

/** The number of the first node that was made since the innermost trace began; 0 outside of traces. */
export let traceStart = 0;

/** Gives a state a new value for the rest of the trace. */
export function traceAssignment(state: Assignable, value: Node): void {
  const original = state.point(value);
  if (!assigned?.has(state)) assigned?.set(state, original);
}

/**
 * Runs a function that builds a graph. What it assigns to states holds until it ends; then they
 * have their old values again, and the new ones are given beside the result.
 * @param isFor what is done with the function; that of the trace around it when null.
 * @param isWhole whether it is what a call of a compiled function runs.
 */
export function traceFunction<S extends Assignable, T>(
  fn: () => T,
  isFor: Purpose | null = null,
  isWhole = false,
): { result: T; assignments: TracedAssignment<S>[] } {
  const before = { assigned, tracePurpose, traceStart, isCompiling };
  const own = new Map<Assignable, Node>();
  const assignments: TracedAssignment<S>[] = [];
  assigned = own;
  tracePurpose = isFor ?? tracePurpose;
  traceStart = nextNodeId();
  isCompiling ||= isWhole;
  try {
    return { result: fn(), assignments };
  } finally {
    for (const [state, original] of own) {
      assignments.push({ state: state as S, original, value: state.point(original) });
    }
    ({ assigned, tracePurpose, traceStart, isCompiling } = before);
  }
}

/** Runs what computes in the midst of a trace, outside of it. */
export function untraced(fn: () => void): void {
  const before = assigned;
  assigned = null;
  try {
    fn();
  } finally {
    assigned = before;
  }
}
