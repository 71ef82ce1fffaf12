import { checkCounts, checkFunctions, checkOptions, checkSynchronous } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { describeValue, list } from "../core/quote.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { passThrough } from "../graph/identity.ts";
import { Node, nextNodeId } from "../graph/node.ts";
import { NO_ATTRIBUTES } from "../graph/op.ts";
import type { State } from "../graph/state.ts";
import { announce, apply, observeCreation, Tensor } from "../graph/tensor.ts";
import { traceFunction } from "../graph/tracing.ts";
import { watch } from "../graph/watch.ts";
import { zeros } from "../ops/creation.ts";
import { reshape } from "../ops/reshape.ts";
import { slice, stack } from "../ops/slice.ts";
import { type Leaf, leavesOf, withLeaves } from "./leaves.ts";
import { madeSince, runTurns, standIn, type TurnCount } from "./scan-op.ts";
import { turnGraph } from "./turn-graph.ts";

/** Options of `scan`. */
export interface ScanOptions {
  /** How many turns: needed where `xs` holds no tensor. */
  length?: number;
  /** Whether the last rows come first; `ys` have the order of `xs` all the same. */
  reverse?: boolean;
}

/** A tree like another one whose tensors, states among them, are any tensors. */
export type Tensors<T> = T extends Tensor
  ? Tensor
  : T extends null | undefined
    ? T
    : { -readonly [K in keyof T]: Tensors<T[K]> };

/**
 * Runs a function for each row of tensors, handing on what it carries: `fn(carry, x) => [carry, y]`.
 *
 * It is one compiled loop: `fn` is called once, with tensors that stand for those of all turns, so that
 * what there is to compile does not grow with the turns. Carry, rows and results are trees: tensors in
 * arrays and plain objects, or null. Tensors and states that `fn` uses from outside are the same in all
 * turns, and have gradients as `init` and `xs` have, of any order. The gradient is a loop in the
 * other direction; for it, carries of all turns and what kernels gave are kept, and the rest is computed
 * again.
 * @param init what the first turn is given.
 * @param xs tensors of one length, `[length, …]`: a turn is given a row of each, `[…]`. May be null.
 * @returns the last carry, and the turns' results, stacked: `[length, …]`.
 * @throws ShapeError or DTypeError where `fn` gives a carry of another type than it was given, or
 * lengths differ; GradusError where `fn` assigns a state, draws without seed or key, or reads, and for
 * what is no tree of tensors.
 * @example
 * // Running sums: y[t] = x[0] + … + x[t].
 * const [last, sums] = scan((sum, x) => [add(sum, x), add(sum, x)], tensor(0), tensor([1, 2, 3]));
 * await sums.toArray(); // [1, 3, 6]
 * await last.item(); // 6
 */
export function scan<const C, const X, Y>(
  fn: (carry: Tensors<C>, x: Tensors<X>) => readonly [Tensors<C>, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
  ...surplus: never[]
): [carry: Tensors<C>, ys: Tensors<Y>] {
  checkFunctions("scan", { fn });
  checkOptions<ScanOptions>("scan", options, { length: true, reverse: "boolean" }, surplus);
  const carries = leavesOf("scan", "init", init);
  const rows = leavesOf("scan", "xs", xs);
  const turns = { length: lengthOf(rows, options), isReversed: options.reverse ?? false };
  const step = (carry: readonly Tensor[], x: readonly Tensor[]): TurnResult => {
    const result = fn(withLeaves(init, carry) as Tensors<C>, withLeaves(xs, x) as Tensors<X>);
    return checkedStep(result, carries);
  };
  const run = watch?.seesTurns && turns.length > 0 ? unrolled : looped;
  const { carry, ys, tree } = run(step, carries, rows, turns);
  return [withLeaves(init, carry) as Tensors<C>, withLeaves(tree, ys) as Tensors<Y>];
}

/** What a turn gives: the next carries, its results, and the tree that these are of. */
interface TurnResult {
  readonly next: readonly Tensor[];
  readonly y: readonly Tensor[];
  readonly tree: unknown;
}

/** What all turns give. */
interface AllTurns {
  readonly carry: readonly Tensor[];
  readonly ys: readonly Tensor[];
  readonly tree: unknown;
}

type RunTurns = (
  step: (carry: readonly Tensor[], x: readonly Tensor[]) => TurnResult,
  carries: readonly Leaf[],
  rows: readonly Leaf[],
  turns: TurnCount,
) => AllTurns;

/** How many rows there are. */
function lengthOf(rows: readonly Leaf[], { length }: ScanOptions): number {
  if (length !== undefined) checkCounts("scan", { length });
  for (const { name, x } of rows) {
    if (x.rank === 0) {
      throw new ShapeError(`scan: ${name} is a scalar; expected rows, [length, …]`);
    }
    const [{ name: first, x: its }] = rows;
    if (x.shape[0] === its.shape[0]) continue;
    throw new ShapeError(
      `scan: ${first} has ${its.shape[0]} rows, ${name} ${x.shape[0]}; expected one length`,
    );
  }
  const own = rows[0]?.x.shape[0] ?? length;
  if (own === undefined) {
    throw new GradusError("scan: neither xs nor length; expected one of them");
  }
  if (length !== undefined && length !== own) {
    throw new ShapeError(`scan: length ${length}, xs has ${own} rows; expected the same`);
  }
  return own;
}

/** What messages call a carry that `fn` gave. */
const CARRY = "the carry of fn";

/** What `fn` gave, taken apart; carries in the order of the first ones. */
function checkedStep(result: unknown, carries: readonly Leaf[]): TurnResult {
  checkSynchronous("scan", result);
  if (!Array.isArray(result) || result.length !== 2) {
    throw new GradusError(`scan: fn gave ${describeValue(result)}; expected [carry, y]`);
  }
  const [carry, tree] = result;
  const next = leavesOf("scan", CARRY, carry);
  if (next.length !== carries.length) {
    throw new GradusError(
      `scan: fn gave a carry of ${next.length} tensors; expected ${carries.length}, as init has`,
    );
  }
  const byPath = new Map(next.map(({ name, x }) => [name.slice(CARRY.length), x]));
  const ordered = carries.map(({ name: first, x: init }) => {
    const path = first.slice("init".length);
    const x = byPath.get(path);
    if (!x) {
      const paths = [...byPath.keys()].map((own) => `carry${own}`);
      throw new GradusError(
        `scan: fn gave [${list(paths)}]; expected carry${path}, as ${first} is`,
      );
    }
    const isSame = sameShape(x.shape, init.shape);
    if (isSame && x.dtype === init.dtype) return x;
    const Kind = isSame ? DTypeError : ShapeError;
    const typeOf = ({ dtype, shape }: Tensor) => `${dtype} ${formatShape(shape)}`;
    throw new Kind(
      `scan: fn gave carry${path} as ${typeOf(x)}; expected ${typeOf(init)}, as ${first} is`,
    );
  });
  const y = leavesOf("scan", "the y of fn", tree);
  for (const { name, x } of [...carries, ...y])
    expectDType(`scan: ${name} has dtype`, x.dtype, "any");
  return { next: ordered, y: y.map(({ x }) => x), tree };
}

/** What no turns make of a value: it depends on all that turns would be given by steps, not at all. */
const noTurns = /* @__PURE__ */ passThrough("scan", (g, { inputs }) => [
  g,
  ...inputs.slice(1).map(() => null),
]);

/** Traces a turn, which stands for all in a loop: it may change nothing but carries. */
function traceTurn(step: () => TurnResult): TurnResult {
  const { result, assignments } = traceFunction<State, TurnResult>(step, "compiled");
  const [assigned] = assignments;
  if (!assigned) return result;
  throw new GradusError(
    `scan: fn assigned "${assigned.state.name}"; expected what changes from turn to turn as a carry`,
  );
}

/** Runs the turns as one loop. */
const looped: RunTurns = (step, carries, rows, turns) => {
  const made: Tensor[] = [];
  const start = nextNodeId();
  const init = carries.map(({ x }) => x);
  const stands = init.map(({ node }) => standIn(node));
  const xs = rows.map(({ x: { device, shape, dtype } }) => {
    return new Node(device, shape.slice(1), dtype);
  });
  const { next, y, tree } = observeCreation(
    (x) => made.push(x),
    () =>
      traceTurn(() => {
        const [given, row] = [stands, xs].map((nodes) => nodes.map((node) => new Tensor(node)));
        return step(given, row);
      }),
  );
  const [nextNodes, yNodes] = [next, y].map((all) => all.map((x) => x.use()));
  const graph = turnGraph({ carries: stands, xs, next: nextNodes, rows: yNodes }, madeSince(start));
  // What fn made of numbers belongs to who called: a scope around may free it.
  for (const x of made) if (!x.disposed && graph.constants.includes(x.node)) announce(x);
  if (graph.constants.length + init.length + xs.length === 0) {
    throw new GradusError("scan: neither init, xs nor fn has a tensor; expected one");
  }
  const rowTensors = rows.map(({ x }) => x);
  if (turns.length === 0) {
    const ofNothing = y.map(({ shape, dtype, device }) => zeros([0, ...shape], { dtype, device }));
    const others = [...graph.constants.map((node) => new Tensor(node)), ...init, ...rowTensors];
    const given = (x: Tensor) => apply(noTurns, [x, ...others], NO_ATTRIBUTES);
    return { carry: init.map(given), ys: ofNothing.map(given), tree };
  }
  const all = runTurns(graph, turns, init, rowTensors);
  const ends = init.length;
  return { carry: all.slice(0, ends), ys: all.slice(ends, ends + y.length), tree };
};

/** Runs the turns one by one, where somebody watches each op. */
const unrolled: RunTurns = (step, carries, rows, { length, isReversed }) => {
  let next: readonly Tensor[] = carries.map(({ x }) => x);
  const made: TurnResult[] = [];
  for (let t = 0; t < length; t++) {
    const row = isReversed ? length - 1 - t : t;
    const x = rows.map(({ x }) => {
      return reshape(slice(x, [{ start: row, end: row + 1 }]), x.shape.slice(1));
    });
    const given = next;
    made[row] = traceTurn(() => step(given, x));
    next = made[row].next;
  }
  const [{ y, tree }] = made;
  return { carry: next, ys: y.map((_, i) => stack(made.map((one) => one.y[i]))), tree };
};
