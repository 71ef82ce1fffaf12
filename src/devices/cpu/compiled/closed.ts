import { contiguous, type Strided } from "../../../core/strided.ts";
import { type Program, resultsOf, type Step } from "../../../engine/program.ts";
import type { Family, KernelContext } from "../../../forms/kernel.ts";
import { viewMap, viewOf } from "../../../forms/strided-map.ts";
import type { Op } from "../../../graph/op.ts";
import { NO_DATA } from "../layout.ts";

/** Where a value lies: in the memory of a stored step. */
export interface Location {
  readonly root: number;
  readonly view: Strided;
}

/** A program whose ops without compiled form stand alone, and the steps that they want stored. */
export interface ClosedProgram {
  readonly program: Program;
  readonly kept: ReadonlySet<number>;
}

/** Nothing chooses among kernels that are an op's plain form. */
const PLAIN: Family = { prologueCost: 0, kernels: [], rule: () => [] };

/** An op that stands alone → the op itself. */
const opened = new WeakMap<Op, Op>();
const closed = new WeakMap<Op, Op>();

/** The op that stands alone as another, if it is one. */
export function openedOf(op: Op): Op | undefined {
  return opened.get(op);
}

/** An op as one that reads and writes what is stored. */
function closedOf(op: Op): Op {
  const known = closed.get(op);
  if (known) return known;
  const problem = ({ y: { dtype } }: KernelContext<unknown>) => ({ dtype });
  const own: Op = {
    ...op,
    linear: false,
    scatter: undefined,
    form: { kind: "kernel", batching: null, isClosed: true, family: PLAIN, problem },
  };
  closed.set(op, own);
  opened.set(own, op);
  return own;
}

/**
 * Lets ops that have no compiled form stand alone, and has what they and ops with kernels read stored
 * where strides can reach it.
 * @param isCompiled whether a step has a compiled form.
 * @param readsStored whether that reads only what is stored.
 * @param isFollowed whether products read what is moved from where it is moved from.
 */
export function closeProgram(
  program: Program,
  isCompiled: (program: Program, step: Step) => boolean,
  readsStored: (step: Step) => boolean,
  isFollowed: boolean,
): ClosedProgram {
  const results = resultsOf(program);
  const kept = new Set<number>();
  const locations: Location[] = [];
  const open = program.steps.map((step) => isCompiled(program, step));
  /** Has a value stored, and what it is copied from where no code copies. */
  const keep = (i: number): void => {
    kept.add(i);
    const step = program.steps[i];
    if (!open[i] && isView(program.steps, step)) keep(locations[step.inputs[0]].root);
  };
  const steps = program.steps.map((step, i): Step => {
    const view = results.has(i) ? null : viewed(program.steps, step, locations);
    locations[i] = view ?? whole(step, i);
    if (!step.op) return step;
    if (results.has(i)) keep(i);
    if (isView(program.steps, step)) return step;
    if (open[i] && !readsStored(step)) return step;
    for (const input of step.inputs) {
      // Compiled loops count upwards.
      if (open[i] && locations[input].view.strides.some((stride) => stride < 0)) {
        locations[input] = whole(program.steps[input], input);
      }
      const { root } = locations[input];
      keep(open[i] && isFollowed ? movedInto(program.steps, root) : root);
    }
    if (open[i] && !step.op.throws) return step;
    kept.add(i);
    if (open[i]) return step;
    return { ...step, op: closedOf(step.op) };
  });
  return { program: { ...program, steps }, kept };
}

/**
 * The step that is stored for a product that reads another one: what only moves elements is followed,
 * but for what would be tested for each of them, as margins for all windows over them.
 */
function movedInto(steps: readonly Step[], step: number): number {
  const { op, inputs } = steps[step];
  const isFollowed = op?.form.kind === "map" && !op.form.follow;
  return isFollowed ? movedInto(steps, inputs[0]) : step;
}

/** Finds where the value of each step lies, of those whose values are moved from stored ones. */
export function locationsOf(steps: readonly Step[], stored: ReadonlySet<number>): Location[] {
  const locations: Location[] = [];
  for (const [i, step] of steps.entries()) {
    locations[i] = (!stored.has(i) && viewed(steps, step, locations)) || whole(step, i);
  }
  return locations;
}

/** What a step that only moves elements copies, row-major. */
export function movedFrom(
  steps: readonly Step[],
  step: Step,
  locations: readonly Location[],
): Location {
  return viewed(steps, step, locations) ?? locations[step.inputs[0]];
}

/** A step's value in memory of its own. */
function whole({ shape }: Step, i: number): Location {
  return { root: i, view: contiguous(NO_DATA, shape) };
}

/** A step's value as a view of another one's memory; null where strides cannot say it. */
function viewed(
  steps: readonly Step[],
  step: Step,
  locations: readonly Location[],
): Location | null {
  const map = stepMap(steps, step);
  if (!map) return null;
  const { root, view } = locations[step.inputs[0]];
  const own = viewOf(view, map, step.shape);
  return own && { root, view: own };
}

function isView(steps: readonly Step[], step: Step): boolean {
  return stepMap(steps, step) !== null;
}

function stepMap(steps: readonly Step[], { op, inputs, attributes, shape, dtype }: Step) {
  const types = inputs.map((input) => steps[input]);
  return op && viewMap(op.form, types, attributes, { shape, dtype });
}
