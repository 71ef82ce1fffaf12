import { mapTree, partsOf } from "../../src/core/tree.ts";
import { reshape, type scan, slice, stack, Tensor } from "../../src/index.ts";

const open = (value: unknown) => (value instanceof Tensor ? null : partsOf(value));

/** Lists the tensors of a tree. */
function tensorsOf(tree: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapTree(tree, open, (x) => {
    if (x instanceof Tensor) found.push(x);
    return x;
  });
  return found;
}

/** What `scan` is by definition: a loop of JavaScript over rows, for one row or more. */
export const plainScan = ((
  fn: (carry: unknown, x: unknown) => readonly [unknown, unknown],
  init: unknown,
  xs: unknown,
  options: { length?: number; reverse?: boolean } = {},
) => {
  const length = tensorsOf(xs)[0]?.shape[0] ?? (options.length as number);
  const rowOf = (t: number) => (x: unknown) => {
    if (!(x instanceof Tensor)) return x;
    return reshape(slice(x, [{ start: t, end: t + 1 }]), x.shape.slice(1));
  };
  let carry = init;
  const given: unknown[] = [];
  for (let i = 0; i < length; i++) {
    const t = options.reverse ? length - 1 - i : i;
    [carry, given[t]] = fn(carry, mapTree(xs, open, rowOf(t)));
  }
  const leaves = given.map(tensorsOf);
  let next = 0;
  const ys = mapTree(given[0], open, (x) => {
    if (!(x instanceof Tensor)) return x;
    const own = next++;
    return stack(leaves.map((row) => row[own]));
  });
  return [carry, ys];
}) as typeof scan;
