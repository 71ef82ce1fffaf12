import { DTYPES } from "../core/dtype.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { sameShape } from "../core/shape.ts";
import { inputsOf, type Node } from "../graph/node.ts";
import { listNodes } from "../graph/order.ts";

/** The graph of a loop's turn: what stands for what it is given, and what it gives. */
export interface TurnEnds {
  /** Stand for what the turn before gave, and for rows. */
  readonly carries: readonly Node[];
  readonly xs: readonly Node[];
  /** The carries' next values, and rows of results. */
  readonly next: readonly Node[];
  readonly rows: readonly Node[];
}

/** A turn's graph, and where it ends. */
export interface TurnGraph extends TurnEnds {
  /** Nodes that are the same in all turns: they are made outside. */
  readonly constants: readonly Node[];
  /** Whether a node may belong to the turn: it was made when the turn was. */
  readonly mayBeInside: (node: Node) => boolean;
  /** For each kernel, what it gives and what is computed of that alone, in order. */
  readonly chains: readonly (readonly Node[])[];
  /** What follows the rows, that a gradient may ask for: the carries, and the nodes of chains. */
  readonly kept: readonly Node[];
}

/**
 * Finds what a turn is made of. What depends on neither carries nor rows is made outside, once for all
 * turns, but for what only moves elements or is one value everywhere.
 * @param mayBeInside whether a node may belong to the turn: it was made when the turn was.
 */
export function turnGraph(ends: TurnEnds, mayBeInside: (node: Node) => boolean): TurnGraph {
  const { carries, xs, next, rows } = ends;
  const standIns = new Set([...carries, ...xs]);
  const isOpen = (node: Node) => !standIns.has(node) && mayBeInside(node);
  const roots = [...next, ...rows];
  const varying = new Set(standIns);
  listNodes(
    roots,
    (node) => (isOpen(node) ? node.inputs : []),
    (order) => {
      for (const node of order) {
        if (isOpen(node) && node.inputs.some((input) => varying.has(input))) varying.add(node);
      }
    },
  );
  const constants: Node[] = [];
  const inside = new Set<Node>();
  const isConstant = (node: Node) =>
    !varying.has(node) &&
    (!isOpen(node) || !node.op || node.ready || (node.op.cost !== 0 && node.inputs.length > 0));
  listNodes(
    roots,
    (node) => (standIns.has(node) || isConstant(node) ? [] : node.inputs),
    (order) => {
      for (const node of order) {
        if (isConstant(node)) constants.push(node);
        else if (!standIns.has(node)) inside.add(node);
      }
    },
  );
  const chains = chainsOf(inside, roots, varying);
  const kept = [...new Set(chains.flat())].filter((node) => !rows.includes(node));
  return { ...ends, constants, mayBeInside, chains, kept: [...carries, ...kept] };
}

/**
 * Follows what each kernel of a turn gives while one step alone reads it, element by element: of what
 * is computed there one after the other, a gradient needs one stored.
 */
function chainsOf(
  inside: ReadonlySet<Node>,
  roots: readonly Node[],
  varying: ReadonlySet<Node>,
): Node[][] {
  const readers = new Map<Node, Node[]>();
  for (const node of inside) {
    for (const input of new Set(inputsOf(node))) getOrInsert(readers, input, () => []).push(node);
  }
  const isStorable = ({ dtype }: Node) => DTYPES[dtype].perWord === 1;
  const kernels = [...inside].filter(
    (node) => varying.has(node) && node.op?.form.kind === "kernel",
  );
  return kernels.filter(isStorable).map((kernel) => {
    const chain = [kernel];
    for (let last = kernel; !roots.includes(last); ) {
      const [next, ...others] = readers.get(last) ?? [];
      if (!next?.op?.linear || others.length > 0 || !sameShape(next.shape, last.shape)) break;
      chain.push(next);
      last = next;
    }
    return chain;
  });
}
