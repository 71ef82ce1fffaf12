import type { Node } from "./node.ts";

/** Computes values again where gradients need them; `pass` tells one walk back from others. */
export interface Recomputing {
  /** Gives the values that stand in a graph for these, which may be the same again. */
  originals(nodes: readonly Node[]): readonly Node[];
  /** Says that a node computes a value again. */
  again(copy: Node, value: Node): void;
  /** Gives what the gradient rule of a node is to take for a value. */
  valueOf(x: Node, node: Node, pass: object): Node;
  /** Tells of a cotangent that a node hands on to one of its inputs. */
  arrive(term: Node, node: Node, input: Node, pass: object): void;
}

/** Who computes values again; null until `checkpoint` is called. */
export let recomputing: Recomputing | null = null;

/** Has values be computed again from now on. */
export function setRecomputing(next: Recomputing): void {
  recomputing = next;
}

/** The values that nodes stand for. */
export function originals(nodes: readonly Node[]): readonly Node[] {
  return recomputing?.originals(nodes) ?? nodes;
}
