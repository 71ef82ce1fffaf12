import { unreached } from "../core/advice.ts";
import { checkEach, checkFunctions, checkSurplus } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { DisposedError, GradusError, ShapeError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { postorder } from "../core/postorder.ts";
import { formatShape } from "../core/shape.ts";
import { fillTensor, sumTensors } from "./cotangent.ts";
import { passThrough } from "./identity.ts";
import type { Node } from "./node.ts";
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
  checkEach("grad", { targets }, Array.isArray, "an array of tensors. Did you mean [x]?");
  checkTensors("grad", targets);
  return differentiate("grad: y", y, targets);
}

/**
 * Does what `grad` does of tensors.
 * @param what what messages call `y`, behind the name of what the user called: `SGD: loss`.
 */
export function differentiate(what: string, y: Tensor, targets: readonly Tensor[]): Tensor[] {
  if (y.size !== 1) {
    throw new ShapeError(
      `${what} has shape ${formatShape(y.shape)}; expected a scalar. Reduce it, say with sum`,
    );
  }
  expectDType(`${what} has dtype`, y.dtype, "float");
  targets.forEach(({ dtype }, i) => {
    expectDType(`grad: target ${i} has dtype`, dtype, "float");
  });
  const wanted = targets.map((target) => target.node);
  const path = nodesBetween(what, y.node, new Set(wanted));
  const cotangents = new Map<Node, Tensor[]>([[y.node, [fillTensor(y, 1)]]]);
  // The results on the way of one call of an op with several; they alone share its list of inputs.
  const calls = new Map<readonly Node[], Node[]>();
  for (const node of path) {
    if (node.op?.vjpAll) getOrInsert(calls, node.inputs, () => []).push(node);
  }
  for (const node of path) {
    const results = calls.get(node.inputs) ?? [node];
    if (node !== results.at(-1)) continue;
    const build = () => propagate(results, cotangents, path);
    if (watch) watch.gradient(node, build);
    else build();
  }
  return wanted.map((node, i) => {
    if (!path.has(node)) throw unreachable(what, targets[i], i);
    const terms = cotangents.get(node);
    return terms ? sumTensors(terms) : flat(targets[i]);
  });
}

/** Hands the cotangents of an op's results on to its inputs. */
function propagate(
  nodes: readonly Node[],
  cotangents: Map<Node, Tensor[]>,
  path: ReadonlySet<Node>,
): void {
  const [node] = nodes;
  const { op, inputs, attributes } = node;
  if (!inputs.some((input) => path.has(input))) return;
  const total = (own: readonly Node[]): Tensor | null => {
    const terms = own.flatMap((one) => cotangents.get(one) ?? []);
    if (terms.length === 0) return null;
    const g = sumTensors(terms);
    for (const one of own) cotangents.set(one, [g]);
    return g;
  };
  const vjp = node.vjp ?? op?.vjp;
  const g = vjp && total(nodes);
  const context = { inputs: inputs.map((input) => new Tensor(input)), attributes };
  const given = g
    ? vjp(g, { ...context, y: new Tensor(node) })
    : op?.vjpAll?.(nodes, total, context);
  inputs.forEach((input, i) => {
    const term = given?.[i];
    if (term && path.has(input)) getOrInsert(cotangents, input, () => []).push(term);
  });
}

/** The nodes on ways from `y` to a target, consumers before producers. */
function nodesBetween(what: string, y: Node, targets: ReadonlySet<Node>): Set<Node> {
  const inputsOf = (node: Node) => (node.op?.stopsGradient ? [] : node.inputs);
  const leads = new Map<Node, boolean>();
  for (const node of postorder([y], (node) => [...inputsOf(node)].reverse())) {
    if (node.retired && !node.op) throw new DisposedError(`${what} depends on ${node.retired}`);
    leads.set(node, targets.has(node) || inputsOf(node).some((input) => !!leads.get(input)));
  }
  const path = [...leads].filter(([, yes]) => yes).map(([node]) => node);
  return new Set(byDistance(path.reverse()));
}

/**
 * Orders nodes, consumers first, by how many lie between them and the first one at the most: what is
 * added up of many steps of time is added step by step, as it comes.
 */
function byDistance(path: readonly Node[]): Node[] {
  const distance = new Map<Node, number>();
  const of = (node: Node) => distance.get(node) ?? 0;
  for (const node of path) {
    for (const input of node.inputs) distance.set(input, Math.max(of(input), of(node) + 1));
  }
  return [...path].sort((a, b) => of(a) - of(b) || b.id - a.id);
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
    return { value, grads: grad(value, args) };
  };
}
