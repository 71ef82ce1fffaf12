import { describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { sameShape } from "../core/shape.ts";
import { Node, nextNodeId } from "../graph/node.ts";
import {
  type Attributes,
  inferAll,
  type MappedCall,
  type MappedValue,
  type Op,
  type VjpContext,
} from "../graph/op.ts";
import { listNodes } from "../graph/order.ts";
import { originals, recomputing } from "../graph/recomputing.ts";
import { Tensor } from "../graph/tensor.ts";
import { BATCHING_RULES, inAll, results } from "./batching-rules.ts";
import { mappedOp, partType } from "./mapped-op.ts";

/** Ops that do for each place on a first axis what others do, by these. */
const mappedOps = /* @__PURE__ */ new WeakMap<Op, Op>();

/**
 * A graph of one call of a function, and what its values are in all calls: along a first axis where
 * they depend on what differs from call to call.
 */
export class MappedGraph {
  readonly #values = new Map<Node, Tensor>();
  /** All results of an op with several, by the list of inputs that its nodes share. */
  readonly #calls = new Map<readonly Node[], readonly Tensor[]>();

  /** What is made from now on may differ, as what gradient rules give. */
  readonly #first = nextNodeId();

  /** @param isOlder whether a node may that was made before. */
  constructor(
    readonly count: number,
    readonly isOlder: (node: Node) => boolean = () => false,
  ) {}

  /** Gives what stands in one call for a value of all. */
  standIn(x: Tensor): Tensor {
    const { shape, dtype } = partType(x);
    const node = new Node(x.device, shape, dtype);
    this.#values.set(node, x);
    return new Tensor(node);
  }

  /** Gives what values of one call are in all. */
  valuesOf(tensors: readonly Tensor[]): MappedValue[] {
    const mayDiffer = (node: Node) => node.id >= this.#first || this.isOlder(node);
    const before = (node: Node) => {
      if (this.#values.has(node) || !mayDiffer(node)) return [];
      const [own] = originals([node]);
      return own === node ? node.inputs : [...node.inputs, own];
    };
    const nodes = tensors.map((x) => x.use());
    for (const node of listNodes(nodes, before, (order) => order)) {
      if (!this.#values.has(node) && before(node).some((input) => this.#values.has(input))) {
        this.#values.set(node, this.#build(node));
      }
    }
    return tensors.map((x, i) => this.#valueOf(nodes[i], x));
  }

  #valueOf(node: Node, own = new Tensor(node)): MappedValue {
    const x = this.#values.get(node);
    return { x: x ?? own, isShared: !x };
  }

  #build(node: Node): Tensor {
    const { attributes, vjp } = node;
    const op = node.op as Op;
    const [own] = originals([node]);
    const call: MappedCall = {
      op,
      attributes,
      nodes: own.inputs,
      inputs: node.inputs.map((input) => this.#valueOf(input)),
      count: this.count,
      types: inferAll(op, node.inputs, attributes),
      all: (value) => inAll(value, this.count),
      within: (known, roots, isWithin) => {
        const graph = new MappedGraph(this.count, isWithin);
        for (const [own, x] of known) graph.#values.set(own, x);
        return graph.valuesOf(roots.map((root) => new Tensor(root))).map(call.all);
      },
    };
    const found =
      call.types.length > 1
        ? getOrInsert(this.#calls, node.inputs, () => mappedResults(call))
        : mappedResults(call);
    const y = found[node.result];
    // What is computed again for a gradient stands in all calls, too, for what it was before.
    if (own !== node) recomputing?.again(y.node, inAll(this.#valueOf(own), this.count).node);
    if (vjp) {
      const inputs = node.inputs.map((input) => new Tensor(input));
      const context = { inputs, y: new Tensor(node), attributes };
      y.node.vjp = (g) => this.cotangents(vjp, g, context);
    }
    return y;
  }

  /** Does in all calls what a gradient rule does in one; what calls share is repeated. */
  cotangents(
    vjp: NonNullable<Op["vjp"]>,
    g: Tensor,
    context: VjpContext<Attributes>,
  ): (Tensor | null)[] {
    const given = vjp(this.standIn(g), context);
    const found = this.valuesOf(given.filter((x) => x !== null)).values();
    return given.map((x) => x && inAll(found.next().value as MappedValue, this.count));
  }
}

/** An op's results in all calls. */
function mappedResults(call: MappedCall): readonly Tensor[] {
  const { op, attributes, inputs, count, types } = call;
  const { form } = op;
  const rule = form.kind !== "map" && form.batching;
  const known = op.mapped?.(call) ?? (rule && BATCHING_RULES[rule](call));
  if (known) return known;
  if (form.kind === "kernel" || op.cpuAll) throw unruly(op);
  const all = inputs.map((input) => inAll(input, count));
  const [type] = inferAll(op, all, attributes);
  const isLike = sameShape(type.shape, [count, ...types[0].shape]);
  // Element i is made of elements i, whatever the shape.
  if (op.linear && isLike && (op.scalar || form.kind === "map"))
    return results(op, all, attributes);
  const make = () => mappedOp(op, form, op.vjp && mappedRule(op.vjp));
  return results(getOrInsert(mappedOps, op, make), all, attributes);
}

/** The gradient rule of an op that does for each place on a first axis what another one does. */
function mappedRule(vjp: NonNullable<Op["vjp"]>): NonNullable<Op["vjp"]> {
  return (g, { inputs, y, attributes }) => {
    const graph = new MappedGraph(g.shape[0]);
    const one = (x: Tensor) => graph.standIn(x);
    return graph.cotangents(vjp, g, { inputs: inputs.map(one), y: one(y), attributes });
  };
}

function unruly({ name }: Op): GradusError {
  return new GradusError(
    `vmap: ${describeValue(name)} of what differs from call to call; expected ops with a batching ` +
      "rule. Call fn in a loop and stack what it gives",
  );
}
