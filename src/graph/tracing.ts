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

let assigned: Map<Assignable, Node> | null = null;
let compiling = false;
let first = 0;

/** Whether a function is being traced, so that nothing may be computed. */
export function isTracing(): boolean {
  return assigned !== null;
}

/** Whether the function being traced is one whose graph runs again and again. */
export function isCompiling(): boolean {
  return compiling;
}

/** The number of the first node that was made since the innermost trace began; 0 outside of traces. */
export function traceStart(): number {
  return first;
}

/** Gives a state a new value for the rest of the trace. */
export function traceAssignment(state: Assignable, value: Node): void {
  const original = state.point(value);
  if (!assigned?.has(state)) assigned?.set(state, original);
}

/**
 * Runs a function that builds a graph. What it assigns to states holds until it ends; then they
 * have their old values again, and the new ones are given beside the result.
 * @param isCompiled whether the graph is to run again and again.
 */
export function traceFunction<S extends Assignable, T>(
  fn: () => T,
  isCompiled = false,
): { result: T; assignments: TracedAssignment<S>[] } {
  const before = { assigned, compiling, first };
  const own = new Map<Assignable, Node>();
  assigned = own;
  compiling ||= isCompiled;
  first = nextNodeId();
  try {
    const result = fn();
    return { result, assignments: restore<S>(own) };
  } finally {
    restore(own);
    ({ assigned, compiling, first } = before);
  }
}

function restore<S extends Assignable>(originals: Map<Assignable, Node>): TracedAssignment<S>[] {
  const found = [...originals].map(([state, original]) => ({
    state: state as S,
    original,
    value: state.point(original),
  }));
  originals.clear();
  return found;
}
