import type { DType } from "../core/dtype.ts";
import { DeviceError, DisposedError, type GradusError } from "../core/errors.ts";
import { numbering } from "../core/numbering.ts";
import { postorder } from "../core/postorder.ts";
import type { Shape } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { inputsOf, type Node } from "../graph/node.ts";
import type { Attributes, Op } from "../graph/op.ts";

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

/** The types of all results of a step's op. */
export function resultTypes({ steps }: Program, step: Step): TensorType[] {
  const inputs = step.inputs.map((input) => steps[input]);
  return [step.op?.infer?.(inputs, step.attributes) ?? step].flat() as TensorType[];
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

/** A program and the nodes it came from. */
export interface Traced {
  readonly program: Program;
  /** The nodes of `program.sources`. */
  readonly sources: readonly Node[];
  /** Equal for programs of equal structure. */
  readonly key: string;
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

/**
 * Lists what must be computed for the wanted nodes, stopping at values that are there.
 * @throws DisposedError when a value below was freed or a state assigned since.
 */
export function trace(wanted: readonly Node[], op: string, options: TraceOptions = {}): Traced {
  const { parameters = new Set(), replacements = [] } = options;
  const roots = [...wanted, ...replacements.flatMap(({ original, value }) => [original, value])];
  const isSource = (node: Node) => node.ready || parameters.has(node);
  const order = collect(roots, op, isSource);
  const number = new Map<Node, number>();
  const sources: Node[] = [];
  const steps = order.map((node): Step => {
    const { shape, dtype, attributes, result } = node;
    number.set(node, number.size);
    if (isSource(node)) {
      sources.push(node);
      return { op: null, attributes: {}, inputs: [], shape, dtype };
    }
    const inputs = inputsOf(node).map((input) => number.get(input) as number);
    return { op: node.op, attributes, inputs, shape, dtype, result };
  });
  const program = {
    steps,
    sources: sources.map((node) => number.get(node) as number),
    outputs: wanted.map((node) => number.get(node) as number),
    updates: replacements.map(({ original, value }) => ({
      source: number.get(original) as number,
      value: number.get(value) as number,
    })),
  };
  return { program, sources, key: programKey(program) };
}

/** Lists nodes and what their values are made of, inputs first, down to sources. */
export function collect(
  wanted: readonly Node[],
  op: string,
  isSource: (node: Node) => boolean,
): Node[] {
  const before = (node: Node) => {
    if (isSource(node)) return [];
    if (!node.op) throw lost(node, op);
    return inputsOf(node);
  };
  return [...postorder(wanted, before)];
}

/** What was neither computed nor freed is an argument of a function that was traced. */
function lost({ retired, isLost }: Node, op: string): GradusError {
  if (isLost && !retired) return lostValues(op);
  const what = retired ?? "an argument of a compiled function; return from there what you read";
  return new DisposedError(`${op}: depends on ${what}`);
}

/** Writes attributes as text, equal for equal ones; JSON would make NaN and infinities null, −0 zero. */
function attributesKey(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : `${value}`;
  if (typeof value !== "object" || value === null) return `${JSON.stringify(value)}`;
  if (Array.isArray(value)) return `[${value.map(attributesKey)}]`;
  return `{${Object.entries(value).map(([name, part]) => `${name}:${attributesKey(part)}`)}}`;
}

/** A number for each op: two of one name may compute different things. */
const numberOf = /* @__PURE__ */ numbering();

/** Writes what a step computes as text, equal for the results of one op on one input. */
export function callKey({ op, attributes, inputs }: Step): string {
  return op ? `${numberOf(op)}${attributesKey(attributes)}(${inputs})` : "";
}

/** Writes a step as text, equal for steps that compute the same. */
export function stepKey(step: Step): string {
  return `${callKey(step)}${step.result || ""}${step.dtype}[${step.shape}]`;
}

function programKey(program: Program): string {
  const lines = program.steps.map(stepKey);
  const updates = program.updates.map(({ source, value }) => `${source}=${value}`);
  return `${lines.join(";")}>${program.outputs}>${updates}`;
}

/** The error for values that went with their device. */
export function lostValues(op: string): DeviceError {
  return new DeviceError(
    `${op}: depends on values that went with a lost device; expected them on a live one. ` +
      "Make them again, or assign what a checkpoint holds",
  );
}
