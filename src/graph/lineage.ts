import type { NumericArray } from "../core/dtype.ts";
import { Node } from "./node.ts";
import { type State, stateOf } from "./state.ts";

/** How many values may lie between a value and what it was computed of. */
const DEPTH = 1000;

/** Stands for a state in a graph that is kept, whatever value the state has by then. */
export class StateLeaf extends Node {
  constructor(readonly state: State) {
    super(state.device, state.shape, state.dtype, null, [], {}, true);
  }
}

/** Makes a node of values that lie on the host. */
export function sourceNode(
  { device, shape, dtype }: Pick<Node, "device" | "shape" | "dtype">,
  host: NumericArray,
): Node {
  const node = new Node(device, shape, dtype, null, [], {});
  node.host = host;
  return node;
}

/**
 * Copies a graph, so that it outlasts the values in it.
 * @param leaf gives what stands for a node in the copy: null for what cannot be had again, undefined
 * for what is copied.
 * @returns null where something cannot be had again.
 */
export function copyGraph(
  root: Node,
  leaf: (node: Node) => Node | null | undefined,
  copies: Map<Node, Node | null> = new Map(),
): Node | null {
  const copy = (node: Node, depth: number): Node | null => {
    let made = copies.get(node);
    if (made !== undefined) return made;
    made = leaf(node);
    if (made === undefined) made = copyNode(node, depth);
    copies.set(node, made);
    return made;
  };
  const copyNode = (node: Node, depth: number): Node | null => {
    const { device, shape, dtype, op, attributes, host, result } = node;
    if (host) return sourceNode(node, host);
    if (!op || depth === 0) return null;
    const inputs: Node[] = [];
    for (const input of node.inputs.slice(0, op.reads)) {
      const own = copy(input, depth - 1);
      if (!own) return null;
      inputs.push(own);
    }
    return new Node(device, shape, dtype, op, inputs, attributes, false, result);
  };
  return copy(root, DEPTH);
}

/**
 * Tells how a value can be computed again: a graph of values on the host, of states as they are then,
 * and of nodes that somebody else may bring back. Null where there is no way.
 * @param tell told of the bytes that this keeps.
 */
export function lineageOf(
  root: Node,
  tell: (bytes: number) => void,
  copies?: Map<Node, Node | null>,
): Node | null {
  const leaf = (node: Node) => {
    const state = stateOf(node);
    if (state) return new StateLeaf(state);
    const { host, storage, lineage, op } = node;
    if (host) tell(host.byteLength);
    if (!storage || (op && !lineage)) return undefined;
    if (lineage) return lineage instanceof Node ? lineage : sourceNode(node, lineage);
    tell(storage.bytes);
    return node;
  };
  return copyGraph(root, leaf, copies);
}

/** How many values a short lineage has. */
const SHORT = 16;

/** A value's lineage where it is short and takes no more memory on the host than the value itself. */
export function shortLineage(root: Node): Node | null {
  let bytes = 0;
  let count = 0;
  const copies = new Map<Node, Node | null>();
  const leaf = (node: Node): Node | null | undefined => {
    const { host, storage, lineage } = node;
    if (++count > SHORT || node.tracked) return null;
    if (lineage instanceof Node) return copyGraph(lineage, leaf, copies);
    const values = host ?? (storage && lineage);
    if (values) bytes += values.byteLength;
    return values ? sourceNode(node, values) : undefined;
  };
  const copy = copyGraph(root, leaf, copies);
  return bytes <= (root.storage?.bytes ?? 0) ? copy : null;
}
