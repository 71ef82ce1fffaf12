import { MAKE_AGAIN } from "../core/advice.ts";
import { sameData } from "../core/data-map.ts";
import type { DType } from "../core/dtype.ts";
import { DeviceError, DisposedError, type GradusError } from "../core/errors.ts";
import { numbering } from "../core/numbering.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import { inputsOf, type Node } from "../graph/node.ts";
import type { Attributes, Op } from "../graph/op.ts";
import { listNodes } from "../graph/order.ts";

/** One line of a program: an op on earlier lines, or a source when `op` is null. */
export interface Step {
  readonly op: Op | null;
  readonly attributes: Attributes;
  readonly inputs: readonly number[];
  readonly shape: Shape;
  readonly dtype: DType;
  /** Which of the op's results it is; 0 when left out. */
  readonly result?: number;
}

/** A graph as a list, inputs before consumers, without values: what a plan is made from. */
export interface Program {
  readonly steps: readonly Step[];
  /** Steps that are sources, in the order in which their storages are given. */
  readonly sources: readonly number[];
  /** Steps whose values are wanted. */
  readonly outputs: readonly number[];
  /** Sources whose contents a step's value replaces; whatever reads the source means the old one. */
  readonly updates: readonly Update[];
}

/** A source, and the step whose value takes its place. */
export interface Update {
  readonly source: number;
  readonly value: number;
}

/** Steps whose values must be in memory when a program has run. */
export function resultsOf({ outputs, updates }: Program): Set<number> {
  return new Set([...outputs, ...updates.map(({ value }) => value)]);
}

/** Tells of each source whether its values are used, and not only replaced. */
export function readsOf({ steps, sources, outputs, updates }: Program): boolean[] {
  const used = new Set(steps.flatMap(({ inputs }) => inputs).concat(outputs));
  for (const { value } of updates) used.add(value);
  return sources.map((step) => used.has(step));
}

/** A new value of a state, and the node that it replaces. */
export interface Replacement {
  readonly original: Node;
  readonly value: Node;
}

/** What a trace takes besides the wanted nodes. */
export interface TraceOptions {
  /** Nodes without values that are given when the program runs. */
  parameters?: ReadonlySet<Node>;
  /** States' new values, computed with the wanted nodes. */
  replacements?: readonly Replacement[];
}

/** A number for each op: two of one name may compute different things. */
const numberOf = /* @__PURE__ */ numbering();

/** What a step computes as plain data, the same for the results of one op on the same inputs. */
export function callKey({ op, attributes, inputs }: Step): readonly unknown[] {
  return [op && numberOf(op), attributes, inputs];
}

/** What must be computed for some nodes: the list without values, and the nodes of its sources. */
export interface Traced {
  readonly program: Program;
  readonly sources: readonly Node[];
}

/**
 * Lists what must be computed for the wanted nodes, stopping at values that are there.
 * @throws DisposedError when a value below was freed or a state assigned since.
 */
export function trace(wanted: readonly Node[], op: string, options: TraceOptions = {}): Traced {
  const { parameters = new Set(), replacements = [] } = options;
  const roots = [...wanted, ...replacements.flatMap(({ original, value }) => [original, value])];
  const isSource = (node: Node) => node.ready || parameters.has(node);
  return listed(roots, op, isSource, (order) => {
    const sources = order.filter((node) => !node.op || isSource(node));
    const program = {
      steps: order.map((node) => stepOf(node, !node.op || isSource(node))),
      sources: sources.map(placeOf),
      outputs: wanted.map(placeOf),
      updates: replacements.map(({ original, value }) => {
        return { source: original.place, value: value.place };
      }),
    };
    return { program, sources };
  });
}

function stepOf(node: Node, isSource: boolean): Step {
  const { op, attributes, shape, dtype, result } = node;
  if (isSource) return { op: null, attributes: {}, inputs: [], shape, dtype };
  return { op, attributes, inputs: inputsOf(node).map(placeOf), shape, dtype, result };
}

function placeOf({ place }: Node): number {
  return place;
}

/**
 * Gives the nodes of a program's sources where it computes just the wanted nodes, null where it does
 * not: the node of each step is an input of the nodes of the steps that read it. Types of what is
 * computed follow from those of the sources, as `infer` tells; shapes are compared to find out soon.
 */
export function sourcesIn(
  { steps, sources, outputs }: Program,
  wanted: readonly Node[],
  parameters: ReadonlySet<Node> = new Set(),
): Node[] | null {
  const isOf = (node: Node, { op, attributes, result = 0, shape, dtype }: Step) => {
    if (!sameShape(node.shape, shape)) return false;
    if (node.ready || parameters.has(node)) return !op && node.dtype === dtype;
    if (!op || node.op !== op || node.result !== result) return false;
    return sameData(node.attributes, attributes);
  };
  if (wanted.length !== outputs.length) return null;
  if (!outputs.every((step, i) => isOf(wanted[i], steps[step]))) return null;
  const nodes = new Array<Node | undefined>(steps.length);
  const isAt = (i: number, node: Node) => {
    nodes[i] ??= node;
    return nodes[i] === node;
  };
  if (!outputs.every((step, i) => isAt(step, wanted[i]))) return null;
  for (let i = steps.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node;
    const { op, inputs } = steps[i];
    if (!isOf(node, steps[i])) return null;
    if (op && (op.reads ?? node.inputs.length) !== inputs.length) return null;
    for (let k = 0; k < inputs.length; k++) if (!isAt(inputs[k], node.inputs[k])) return null;
  }
  const found = sources.map((i) => nodes[i] as Node);
  return new Set(found).size < found.length ? null : found;
}

/** Lists nodes and what their values are made of, inputs first, down to sources. */
export function collect(
  wanted: readonly Node[],
  op: string,
  isSource: (node: Node) => boolean,
): readonly Node[] {
  return listed(wanted, op, isSource, (order) => order);
}

function listed<T>(
  wanted: readonly Node[],
  op: string,
  isSource: (node: Node) => boolean,
  use: (order: readonly Node[]) => T,
): T {
  const before = (node: Node) => {
    if (isSource(node)) return [];
    if (!node.op) throw lost(node, op);
    return inputsOf(node);
  };
  return listNodes(wanted, before, use);
}

/** What was neither computed nor freed is an argument of a function that was traced. */
function lost({ retired, isLost }: Node, op: string): GradusError {
  if (isLost && !retired) return lostValues(op);
  const what = retired ?? "an argument of a compiled function; return from there what you read";
  return new DisposedError(`${op}: depends on ${what}`);
}

/** The error for values that went with their device. */
export function lostValues(op: string): DeviceError {
  return new DeviceError(
    `${op}: depends on values that went with a lost device; expected them on a live one${MAKE_AGAIN}`,
  );
}
