import { DataMap } from "../core/data-map.ts";
import { allocate, type DType } from "../core/dtype.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { sizeOf } from "../core/shape.ts";
import { fill } from "../graph/cotangent.ts";
import { identity } from "../graph/identity.ts";
import type { Op } from "../graph/op.ts";
import { callKey, type Program, resultsOf, type Step } from "./program.ts";

/**
 * Rewrites a program to compute the same with less: equal steps become one, what is one value
 * everywhere becomes a constant, steps that pass an input on are left out, and so is what nobody needs.
 * Every output and new value of a state is a step of its own, and none is a source.
 */
export function simplify(program: Program): Program {
  return withoutDead(separated(folded(program)));
}

const fillOp = fill as unknown as Op;

/** The one value that a step has everywhere, if it is known. */
function uniform({ op, attributes }: Step): number | null {
  return op === fillOp ? (attributes.value as number) : null;
}

/** Whether each step of a simplified program has one value everywhere that is known. */
export function isUniform({ steps }: Program): boolean {
  return steps.every((step) => uniform(step) !== null);
}

/** Makes equal steps one, folds constants, and leaves out steps that pass an input on. */
function folded(program: Program): Program {
  const steps: Step[] = [];
  /** A call, and which of its results is meant → the step. */
  const known = new DataMap<number>();
  /** Old number → new number. */
  const renamed = new Int32Array(program.steps.length);
  program.steps.forEach((old, i) => {
    const { op, shape, dtype, result = 0 } = old;
    if (!op) {
      renamed[i] = steps.push(old) - 1;
      return;
    }
    const inputs = old.inputs.map((input) => renamed[input]);
    const types = inputs.map((input) => steps[input]);
    const values = types.map(uniform);
    const passed = op.passes?.(values, types, old) ?? null;
    if (passed !== null) {
      renamed[i] = inputs[passed];
      return;
    }
    const value = valueOf(op, old, types, values);
    const step =
      value === null
        ? { ...old, inputs }
        : { op: fillOp, attributes: { shape, dtype, value }, inputs: [], shape, dtype };
    const own = value === null ? result : 0;
    renamed[i] = getOrInsert(known, [own, ...callKey(step)], () => steps.push(step) - 1);
  });
  return renumbered(program, steps, (i) => renamed[i]);
}

function valueOf(
  op: Op,
  { attributes, dtype }: Step,
  inputs: readonly Step[],
  values: readonly (number | null)[],
): number | null {
  if (op.ofNothing !== undefined && inputs.some(({ shape }) => sizeOf(shape) === 0)) {
    return op.ofNothing;
  }
  const known = values.filter((value) => value !== null);
  if (known.length < values.length) return null;
  if (op.form.kind === "map" && !op.form.outside && known.length === 1) return known[0];
  return op.scalar ? stored(op.scalar(inputs, attributes)(...known), dtype) : null;
}

/** A number as an element of a dtype holds it. */
function stored(value: number, dtype: DType): number {
  const data = allocate(dtype, 1);
  data[0] = value;
  return data[0];
}

/** Copies what would be wanted twice, or is there already: each result has memory of its own. */
function separated(program: Program): Program {
  const steps = [...program.steps];
  const taken = new Set(program.sources);
  const own = (value: number): number => {
    if (!taken.has(value)) {
      taken.add(value);
      return value;
    }
    const { shape, dtype } = steps[value];
    steps.push({ op: identity, attributes: {}, inputs: [value], shape, dtype });
    return steps.length - 1;
  };
  const updates = program.updates.map(({ source, value }) => ({ source, value: own(value) }));
  return { ...program, steps, outputs: program.outputs.map(own), updates };
}

/** Leaves out steps that neither outputs nor updates depend on; sources stay. */
function withoutDead(program: Program): Program {
  const isNeeded = new Uint8Array(program.steps.length);
  for (const i of program.sources) isNeeded[i] = 1;
  for (const i of resultsOf(program)) isNeeded[i] = 1;
  for (let i = isNeeded.length - 1; i >= 0; i--) {
    if (isNeeded[i]) for (const input of program.steps[i].inputs) isNeeded[input] = 1;
  }
  if (!isNeeded.includes(0)) return program;
  const steps: Step[] = [];
  const renamed = new Int32Array(isNeeded.length);
  const rename = (i: number) => renamed[i];
  program.steps.forEach((step, i) => {
    if (!isNeeded[i]) return;
    const isMoved = steps.length < i && step.inputs.length > 0;
    renamed[i] = steps.push(isMoved ? { ...step, inputs: step.inputs.map(rename) } : step) - 1;
  });
  return renumbered(program, steps, rename);
}

/** A program with other steps, in which each old step has a new number. */
export function renumbered(
  program: Program,
  steps: readonly Step[],
  rename: (step: number) => number,
): Program {
  return {
    steps,
    sources: program.sources.map(rename),
    outputs: program.outputs.map(rename),
    updates: program.updates.map(({ source, value }) => ({
      source: rename(source),
      value: rename(value),
    })),
  };
}
