import { SEVERAL_TARGETS, SUM_IT, unreached } from "../core/advice.ts";
import { checkEach, checkFunctions, checkSurplus } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { DisposedError, GradusError, ShapeError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { formatShape } from "../core/shape.ts";
import { fillTensor, sumTensors } from "./cotangent.ts";
import { passThrough } from "./identity.ts";
import type { Node } from "./node.ts";
import { listNodes } from "./order.ts";
import { originals, recomputing } from "./recomputing.ts";
import { stateOf } from "./state.ts";
import { apply, checkTensors, Tensor } from "./tensor.ts";
import { watch } from "./watch.ts";

/**
 * Differentiates a scalar with respect to tensors, walking back from `y` through the graph.
 *
 * The gradients are ordinary tensors with the targets' shapes, so they can be differentiated again.
 * They are zeros where `y` depends on a target only by steps: through `floor` and `sign`, a
 * comparison or the condition of `where`, a cast to whole numbers, `argmax`, `oneHot`, or as an index.
 * A loss made of such, as an accuracy is, therefore trains nothing. A target that `y` was not
 * computed from, or only through `stopGradient`, is an error.
 * @param y a scalar, f32 or f64.
 * @param targets f32 or f64: inputs, parameters or values between.
 * @throws ShapeError when `y` is no scalar, DTypeError for whole numbers and bools, GradusError when
 * `y` does not depend on a target.
 * @example
 * const x = tensor([1, 2, 3]);
 * const [dx] = grad(sum(square(x)), [x]);
 * await dx.toArray(); // [2, 4, 6]
 */
export function grad(y: Tensor, targets: readonly Tensor[], ...surplus: never[]): Tensor[] {
  checkSurplus("grad(y, [x, …])", surplus);
  checkTensors("grad", [y]);
  checkEach("grad", { targets }, Array.isArray, `an array of tensors${SEVERAL_TARGETS}`);
  checkTensors("grad", targets);
  return differentiate("grad: y", y, targets);
}

/**
 * Does what `grad` does of tensors.
 * @param what what messages call `y`, behind the name of what the user called: `SGD: loss`.
 */
export function differentiate(what: string, y: Tensor, targets: readonly Tensor[]): Tensor[] {
  if (y.size !== 1) {
    throw new ShapeError(`${what} has shape ${formatShape(y.shape)}; expected a scalar${SUM_IT}`);
  }
  expectDType(`${what} has dtype`, y.dtype, "float");
  const [op] = what.split(":");
  targets.forEach(({ dtype }, i) => {
    expectDType(`${op}: target ${i} has dtype`, dtype, "float");
  });
  const wanted = originals(targets.map((target) => target.node));
  const cotangents = pullBack(what, [y.node], [fillTensor(y, 1)], wanted);
  return wanted.map((node, i) => {
    const terms = cotangents.get(node);
    if (!terms) throw unreachable(what, targets[i], i);
    return terms.length > 0 ? sumTensors(terms) : flat(targets[i]);
  });
}

/**
 * Carries cotangents of nodes back to others: gives the terms that come to each node on a way there.
 * @param ends nodes behind which there is no way.
 */
export function pullBack(
  what: string,
  nodes: readonly Node[],
  terms: readonly Tensor[],
  targets: readonly Node[],
  ends: ReadonlySet<Node> = new Set(),
): Cotangents {
  const roots = originals(nodes);
  const path = nodesBetween(what, roots, new Set(targets), ends);
  // Of each node on a way to a target, the cotangents that have come to it.
  const cotangents: Cotangents = new Map();
  for (const node of path) cotangents.set(node, NONE);
  for (let i = 0; i < roots.length; i++) addTerm(cotangents, roots[i], terms[i]);
  const total = (nodes: readonly Node[]) => gathered(nodes, cotangents);
  const handOn = (nodes: readonly Node[]) => propagate(nodes, cotangents, total);
  // The results on the way of one call of an op with several; they alone share its list of inputs.
  const calls = new Map<readonly Node[], Node[]>();
  for (const node of path) {
    if (node.op?.vjpAll && !ends.has(node)) getOrInsert(calls, node.inputs, () => []).push(node);
  }
  for (const node of path) {
    const results = calls.get(node.inputs) ?? [node];
    if (ends.has(node) || node !== results[results.length - 1]) continue;
    if (watch) watch.gradient(node, handOn.bind(null, results));
    else handOn(results);
  }
  return cotangents;
}

type Cotangents = Map<Node, readonly Tensor[]>;

/** Gives the sum of the cotangents that have come to nodes. */
type Total = (nodes: readonly Node[]) => Tensor | null;

/** What has come to a node that nothing has come to. */
const NONE: readonly Tensor[] = [];

/** Adds a cotangent to those of a node on a way to a target; nearly always it is the only one. */
function addTerm(cotangents: Cotangents, node: Node, term: Tensor): void {
  const terms = cotangents.get(node);
  if (terms === NONE) cotangents.set(node, [term]);
  else (terms as Tensor[] | undefined)?.push(term);
}

/** Hands the cotangents of an op's results on to its inputs. */
function propagate(nodes: readonly Node[], cotangents: Cotangents, total: Total): void {
  const [node] = nodes;
  const { op, attributes } = node;
  const inputs = originals(node.inputs);
  if (!inputs.some(cotangents.has, cotangents)) return;
  const vjp = node.vjp ?? op?.vjp;
  const g = vjp && total(nodes);
  const valueOf = (x: Node) => new Tensor(recomputing?.valueOf(x, node, cotangents) ?? x);
  const context = { inputs: node.inputs.map(valueOf), y: valueOf(node), attributes, valueOf };
  const given = g ? vjp(g, context) : op?.vjpAll?.(nodes, total, context);
  for (let i = 0; i < inputs.length; i++) {
    const term = given?.[i];
    if (!term) continue;
    addTerm(cotangents, inputs[i], term);
    recomputing?.arrive(term.node, node, inputs[i], cotangents);
  }
}

/** The sum of the cotangents that have come to nodes, which is from then on all that they have. */
function gathered(nodes: readonly Node[], cotangents: Cotangents): Tensor | null {
  const own = nodes.map(cotangents.get, cotangents) as (readonly Tensor[])[];
  const terms = own.length === 1 ? own[0] : own.flat();
  if (terms.length === 0) return null;
  const g = sumTensors(terms);
  if (terms.length > 1 || nodes.length > 1) for (const node of nodes) cotangents.set(node, [g]);
  return g;
}

/** The nodes on ways from some nodes to a target, consumers before producers. */
function nodesBetween(
  what: string,
  roots: readonly Node[],
  targets: ReadonlySet<Node>,
  ends: ReadonlySet<Node>,
): Node[] {
  const inputsOf = (node: Node) =>
    node.op?.stopsGradient || ends.has(node) ? [] : originals(node.inputs);
  return listNodes(roots, inputsOf, (order) => {
    const leads: boolean[] = [];
    for (const node of order) {
      if (node.retired && !node.op) throw new DisposedError(`${what} depends on ${node.retired}`);
      leads.push(targets.has(node) || inputsOf(node).some(({ place }) => leads[place]));
    }
    // Consumers come first by how many nodes lie between them and y at the most: what is added up of
    // many steps of time is added step by step, as it comes.
    const distance = new Uint32Array(order.length);
    const path = order.filter(({ place }) => leads[place]).reverse();
    for (const node of path) {
      for (const { place } of inputsOf(node)) {
        distance[place] = Math.max(distance[place], distance[node.place] + 1);
      }
    }
    return path.sort((a, b) => distance[a.place] - distance[b.place] || b.id - a.id);
  });
}

/** y = the first input, which depends on the second by nothing. */
const flatOp = passThrough("flat", null);

/** Zeros that depend on x as a slope would, so that they have derivatives too. */
function flat(x: Tensor): Tensor {
  return apply(flatOp, [fillTensor(x, 0), x], {});
}

function unreachable(from: string, target: Tensor, position: number): GradusError {
  const name = stateOf(target.node)?.name;
  const what = name ? `"${name}"` : `target ${position} of shape ${formatShape(target.shape)}`;
  return new GradusError(
    `${from} does not depend on ${what}; expected targets that it was computed from` +
      unreached(Boolean(name)),
  );
}

/** Does what `grad` does for `op`, of what a function of the user's gave. */
export function slopesOfResult(
  op: string,
  fn: string,
  value: Tensor,
  targets: readonly Tensor[],
): Tensor[] {
  checkTensors(op, [value]);
  checkTensors(op, targets);
  return differentiate(`${op}: ${fn}'s result`, value, targets);
}

/**
 * Turns a function with a scalar result into one that gives the result and its gradients with
 * respect to every argument.
 */
export function valueAndGrad<Args extends Tensor[]>(
  fn: (...args: Args) => Tensor,
  ...surplus: never[]
): (...args: Args) => { value: Tensor; grads: Tensor[] } {
  checkSurplus("valueAndGrad(fn)", surplus);
  checkFunctions("valueAndGrad", { fn });
  return (...args) => {
    const value = fn(...args);
    return { value, grads: slopesOfResult("valueAndGrad", "fn", value, args) };
  };
}
