import { describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { mapTree, type Parts, type Place, partsOf, walk } from "../core/tree.ts";
import { Tensor } from "../graph/tensor.ts";

/** A tensor in a tree, and how messages call it. */
export interface Leaf {
  readonly name: string;
  readonly x: Tensor;
}

/** Takes a tree apart: tensors, and nothing, in arrays and plain objects. */
function openerOf(what: string) {
  return (value: unknown, { path, isCycle }: Place): Parts | null => {
    if (value instanceof Tensor) return null;
    if (!isCycle) return partsOf(value);
    throw new GradusError(`${what}${wayTo(path)} holds itself; expected no cycle`);
  };
}

function wayTo(path: readonly string[]): string {
  return path.map((name) => `.${name}`).join("");
}

/**
 * Lists the tensors of a tree.
 * @param op what messages begin with: what the user called, and what they name the tree after.
 * @throws GradusError for other leaves than tensors, null and undefined.
 */
export function leavesOf(op: string, name: string, tree: unknown): Leaf[] {
  const leaves: Leaf[] = [];
  walk(tree, openerOf(`${op}: ${name}`), (x, { path }) => {
    if (x === null || x === undefined) return;
    const own = name + wayTo(path);
    if (x instanceof Tensor) leaves.push({ name: own, x });
    else {
      const rule = "expected tensors in arrays and plain objects. Use tensor(value)";
      throw new GradusError(`${op}: ${own} is ${describeValue(x)}; ${rule}`);
    }
  });
  return leaves;
}

/** Builds a tree like another one with other tensors in place of its own, in order. */
export function withLeaves<T>(tree: T, tensors: readonly Tensor[]): unknown {
  let next = 0;
  return mapTree(tree, openerOf(""), (x) => (x instanceof Tensor ? tensors[next++] : x));
}
