import { checkFunctions, checkSurplus, checkSynchronous } from "../core/check.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { postorder } from "../core/postorder.ts";
import { partsOf, walk } from "../core/tree.ts";
import { UNMOVED } from "../forms/map.ts";
import { inputsOf, Node, nextNodeId } from "./node.ts";
import { type Attributes, defineOp, type Op } from "./op.ts";
import { type Recomputing, setRecomputing } from "./recomputing.ts";
import { Tensor } from "./tensor.ts";
import { watch } from "./watch.ts";

/** What one call of a function has made, and the call inside which that was. */
interface Enclosure {
  isOpen: boolean;
  readonly outer: Enclosure | null;
}

let innermost: Enclosure | null = null;

/** A value that was made in an enclosure → the innermost such enclosure. */
const enclosures = new WeakMap<Node, Enclosure>();

/** A value that is computed again → the value. */
const values = new WeakMap<Node, Node>();

/**
 * y = the first input, when the second is known. It reads nothing of that, but what is made of y waits
 * for it; and it is no equal of what has no such input, so that steps behind it are none either.
 */
const after: Op = defineOp<Attributes>({
  name: "after",
  cost: 0,
  form: UNMOVED,
  // There is nothing to wait for where one of them is the same number everywhere.
  passes: (values) => (values.some((value) => value !== null) ? 0 : null),
  vjp: null,
});

/** y = the first input, when all are known. */
const together: Op = defineOp<Attributes>({
  name: "together",
  cost: 0,
  form: UNMOVED,
  passes: (values) => (values.every((value) => value !== null) ? 0 : null),
  vjp: null,
});

/**
 * Gives a function of which gradients keep only the inputs: what it computes inside is computed again
 * when they need it, so that a deep net takes less memory, for the time of one more pass forward.
 *
 * Values and gradients of any order are the same, bit for bit, and so are draws by a key. `fn` is
 * called once: what it draws without a key, assigns or prints happens once. Tensors and states that it
 * takes from outside get their gradients as its arguments do. Calls may lie in each other.
 * Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
 * @param fn any function of tensors; its results may be tensors, arrays and plain objects of such.
 * @throws GradusError when `fn` is no function, or returns a promise.
 * @example
 * const x = tensor([1, 2]);
 * const block = checkpoint((v: Tensor) => square(square(v)));
 * const [dx] = grad(sum(block(x)), [x]);
 * await dx.toArray(); // [4, 32]
 */
export function checkpoint<Args extends unknown[], R>(
  fn: (...args: Args) => R,
  ...surplus: never[]
): (...args: Args) => R {
  checkSurplus("checkpoint(fn)", surplus);
  checkFunctions("checkpoint", { fn });
  setRecomputing(RECOMPUTING);
  return (...args) => {
    const enclosure: Enclosure = { isOpen: true, outer: innermost };
    const start = nextNodeId();
    innermost = enclosure;
    try {
      const result = fn(...args);
      checkSynchronous("checkpoint", result);
      enclose(enclosure, start, result);
      return result;
    } finally {
      enclosure.isOpen = false;
      innermost = enclosure.outer;
    }
  };
}

/** Says of all that results are made of since a node that it is of an enclosure. */
function enclose(enclosure: Enclosure, start: number, result: unknown): void {
  const results: Node[] = [];
  walk(result, partsOf, (leaf) => {
    if (leaf instanceof Tensor) results.push(leaf.node);
  });
  const before = ({ id, inputs }: Node) => (id < start ? [] : inputs);
  for (const node of postorder(results, before)) {
    if (node.op && node.id >= start && !enclosures.has(node)) enclosures.set(node, enclosure);
  }
}

/** The innermost of a node's enclosures that is no longer being made. */
function enclosureOf(node: Node): Enclosure | null {
  return closed(enclosures.get(node) ?? null);
}

function closed(enclosure: Enclosure | null): Enclosure | null {
  return enclosure?.isOpen ? closed(enclosure.outer) : enclosure;
}

/** Whether an enclosure is another one or lies in it. */
function isWithin(enclosure: Enclosure | null, other: Enclosure): boolean {
  let own = enclosure;
  while (own && own !== other) own = own.outer;
  return own !== null;
}

/** What a walk back computes again of an enclosure. */
interface Again {
  /** What comes into the enclosure from outside; its values are needed when that is known. */
  readonly arrived: Node[];
  /** Stands for all that has arrived, and will. */
  gate: Node | null;
  /** A value of the enclosure, or one that it is made of → the same again. */
  readonly copies: Map<Node, Node>;
}

/** A walk back → what it computes again. */
const passes = new WeakMap<object, Map<Enclosure, Again>>();

function againIn(enclosure: Enclosure, pass: object): Again {
  const own = getOrInsert(passes, pass, () => new Map<Enclosure, Again>());
  return getOrInsert(own, enclosure, () => ({ arrived: [], gate: null, copies: new Map() }));
}

const RECOMPUTING: Recomputing = {
  originals: (nodes) => nodes.map((node) => values.get(node) ?? node),

  again(copy, value) {
    values.set(copy, values.get(value) ?? value);
  },

  valueOf(x, node, pass) {
    const enclosure = enclosureOf(node);
    // A second result of an op that nothing asked for before.
    if (enclosure && x.inputs === node.inputs) enclosures.set(x, enclosures.get(node) as Enclosure);
    return seenIn(enclosure, x, pass);
  },

  arrive(term, node, input, pass) {
    const own = enclosureOf(node);
    let enclosure = enclosureOf(input);
    for (; enclosure && !isWithin(own, enclosure); enclosure = closed(enclosure.outer)) {
      againIn(enclosure, pass).arrived.push(term);
    }
  },
};

/** A value as it is seen in an enclosure: computed again there, or outside and waited for. */
function seenIn(enclosure: Enclosure | null, root: Node, pass: object): Node {
  if (!enclosure) return root;
  const { copies } = againIn(enclosure, pass);
  const isCopied = (node: Node) => !node.ready && isWithin(enclosures.get(node) ?? null, enclosure);
  const before = (node: Node) => (copies.has(node) || !isCopied(node) ? [] : inputsOf(node));
  for (const node of postorder([root], before)) {
    if (copies.has(node)) continue;
    const copy = isCopied(node) ? again(node, copies) : fromOutside(enclosure, node, pass);
    copies.set(node, copy);
    if (copy === node) continue;
    RECOMPUTING.again(copy, node);
    watch?.added(copy);
  }
  return copies.get(root) as Node;
}

/** The same, of what there is again of the inputs. */
function again(node: Node, copies: ReadonlyMap<Node, Node>): Node {
  const { device, shape, dtype, op, attributes, result } = node;
  const inputs = inputsOf(node).map((input) => copies.get(input) as Node);
  return new Node(device, shape, dtype, op, inputs, attributes, false, result);
}

/** What an enclosure is made of, when it is known what has come to it. */
function fromOutside(enclosure: Enclosure, node: Node, pass: object): Node {
  const seen = seenIn(closed(enclosure.outer), node, pass);
  const own = againIn(enclosure, pass);
  if (own.arrived.length === 0) return seen;
  own.gate ??= gateOf(own.arrived);
  return new Node(seen.device, seen.shape, seen.dtype, after, [seen, own.gate]);
}

/** A node for values, of which more may come until it is computed. */
function gateOf(arrived: readonly Node[]): Node {
  const [{ device, shape, dtype }] = arrived;
  return new Node(device, shape, dtype, together, arrived);
}
