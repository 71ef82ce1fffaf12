import { type Node, UNLISTED } from "./node.ts";

/** What `Node.place` is of a node whose inputs are being listed. */
const BEGUN = -2;

/**
 * Lists nodes that can be reached, each once and behind those that `before` gives of it, which are
 * visited in their order. While `use` looks at the list, `place` of each node is its number there;
 * nothing else may be listed meanwhile. Long chains need no deep stack.
 */
export function listNodes<T>(
  roots: readonly Node[],
  before: (node: Node) => readonly Node[],
  use: (order: readonly Node[]) => T,
): T {
  const order: Node[] = [];
  const stack = [...roots].reverse();
  try {
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      if (node.place === UNLISTED) {
        node.place = BEGUN;
        const others = before(node);
        for (let i = others.length - 1; i >= 0; i--) {
          if (others[i].place === UNLISTED) stack.push(others[i]);
        }
      } else {
        if (node.place === BEGUN) node.place = order.push(node) - 1;
        stack.pop();
      }
    }
    return use(order);
  } finally {
    for (const node of order) node.place = UNLISTED;
    for (const node of stack) node.place = UNLISTED; // none, unless something was wrong
  }
}
