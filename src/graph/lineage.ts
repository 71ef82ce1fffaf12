import type { NumericArray } from "../core/dtype.ts";
import { postorder } from "../core/postorder.ts";
import { inputsOf, Node } from "./node.ts";
import { type State, stateOf } from "./state.ts";

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
  const node = new Node(device, shape, dtype);
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
  const opened = new Set<Node>();
  let isLost = false;
  const before = (node: Node): readonly Node[] => {
    if (isLost) return [];
    if (!copies.has(node) && !opened.has(node)) {
      opened.add(node);
      let made = leaf(node);
      if (made === undefined) made = bare(node);
      if (made !== undefined) copies.set(node, made);
    }
    isLost = copies.get(node) === null;
    return copies.has(node) ? [] : inputsOf(node);
  };
  for (const node of postorder([root], before)) {
    if (!opened.has(node) || copies.has(node)) continue;
    const { device, shape, dtype, op, attributes, result } = node;
    const inputs = inputsOf(node).flatMap((input) => copies.get(input) ?? []);
    const isWhole = inputs.length === inputsOf(node).length;
    const make = () => new Node(device, shape, dtype, op, inputs, attributes, false, result);
    copies.set(node, isWhole ? make() : null);
  }
  return copies.get(root) ?? null;
}

/** What a node that nothing stands for is without being copied; undefined where it is computed. */
function bare(node: Node): Node | null | undefined {
  return node.host ? sourceNode(node, node.host) : node.op ? undefined : null;
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
