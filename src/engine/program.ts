import { MAKE_AGAIN } from "../core/advice.ts";
import { mix, sameData } from "../core/data-map.ts";
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

/** What tells a program from others: where these are the same, programs compute the same. */
export interface ProgramKey {
  /** Made of the links: seldom the same for others. */
  readonly hash: number;
  /** Of each step its op's number, which of the results it is, and how many inputs and which. */
  readonly links: Int32Array;
  /** Types of sources, and attributes: the types of all others follow from them, as `infer` tells. */
  readonly parts: readonly unknown[];
}

/** Whether programs compute the same. */
export function sameProgram(a: ProgramKey, b: ProgramKey): boolean {
  return a.hash === b.hash && sameShape(a.links, b.links) && sameData(a.parts, b.parts);
}

/**
 * What must be computed for some nodes. A class: of a literal with a getter V8 makes a hidden class each
 * time, which keeps what the getter closes over, the whole graph, from the collector of young objects.
 */
export class Traced {
  readonly #order: readonly Node[];
  readonly #ends: Pick<Program, "outputs" | "updates">;

  constructor(
    readonly key: ProgramKey,
    /** The nodes of `program.sources`. */
    readonly sources: readonly Node[],
    order: readonly Node[],
    ends: Pick<Program, "outputs" | "updates">,
  ) {
    this.#order = order;
    this.#ends = ends;
  }

  /** The list without values; it is made when it is asked for. */
  get program(): Program {
    return { ...programOf(this.#order, this.key.links), ...this.#ends };
  }
}

/** Stands in the place of an op's number where there is none. */
const SOURCE = -1;

/**
 * Lists what must be computed for the wanted nodes, stopping at values that are there.
 * @throws DisposedError when a value below was freed or a state assigned since.
 */
export function trace(wanted: readonly Node[], op: string, options: TraceOptions = {}): Traced {
  const { parameters = new Set(), replacements = [] } = options;
  const roots = [...wanted, ...replacements.flatMap(({ original, value }) => [original, value])];
  const isSource = (node: Node) => node.ready || parameters.has(node);
  return listed(roots, op, isSource, (order) => {
    const outputs = wanted.map(({ place }) => place);
    const updates = replacements.map(({ original, value }) => {
      return { source: original.place, value: value.place };
    });
    const all = new Int32Array(order.reduce((sum, { inputs }) => sum + 3 + inputs.length, 0));
    const parts: unknown[] = [outputs, updates];
    const sources: Node[] = [];
    let end = 0;
    for (const node of order) {
      const { op, inputs, attributes, shape, dtype, result } = node;
      if (!op || isSource(node)) {
        sources.push(node);
        all[end++] = SOURCE;
        parts.push(dtype, shape);
        continue;
      }
      const count = op.reads ?? inputs.length;
      all[end++] = numberOf(op);
      all[end++] = result;
      all[end++] = count;
      for (let i = 0; i < count; i++) all[end++] = inputs[i].place;
      parts.push(attributes);
    }
    const links = all.subarray(0, end);
    let hash = 0;
    for (const link of links) hash = mix(hash, link);
    return new Traced({ hash, links, parts }, sources, order, { outputs, updates });
  });
}

/** The steps of nodes, and which of them are sources. */
function programOf(order: readonly Node[], links: Int32Array): Pick<Program, "steps" | "sources"> {
  const sources: number[] = [];
  let at = 0;
  const steps = order.map(({ op, attributes, shape, dtype, result }, i): Step => {
    if (links[at++] === SOURCE) {
      sources.push(i);
      return { op: null, attributes: {}, inputs: [], shape, dtype };
    }
    const inputs = new Array<number>(links[at + 1]);
    at += 2;
    for (let k = 0; k < inputs.length; k++) inputs[k] = links[at++];
    return { op, attributes, inputs, shape, dtype, result };
  });
  return { steps, sources };
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
