import { allocate, type DType } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { fill } from "../graph/cotangent.ts";
import { identity } from "../graph/identity.ts";
import type { Op } from "../graph/op.ts";
import { type Program, resultsOf, type Step, stepKey } from "./program.ts";

/**
 * Rewrites a program to compute the same with less: equal steps become one, what is one value
 * everywhere becomes a constant, steps that pass an input on are left out, and so is what nobody needs.
 * Every output and new value of a state is a step of its own, and none is a source.
 */
export function simplify(program: Program): Program {
  return withoutDead(separated(new Simplifier(program).run()));
}

const constant = fill as unknown as Op;

class Simplifier {
  readonly #steps: Step[] = [];
  /** Old number → new number. */
  readonly #renamed: number[] = [];
  readonly #known = new Map<string, number>();
  /** The one value that a new step has everywhere. */
  readonly #uniform: (number | null)[] = [];

  constructor(readonly program: Program) {}

  run(): Program {
    this.program.steps.forEach((step, i) => {
      this.#renamed[i] = step.op ? this.#simplified(step) : this.#append(step, null);
    });
    return renumbered(this.program, this.#steps, (i) => this.#renamed[i]);
  }

  #append(step: Step, uniform: number | null): number {
    this.#steps.push(step);
    this.#uniform.push(uniform);
    return this.#steps.length - 1;
  }

  #simplified(old: Step): number {
    const op = old.op as Op;
    const inputs = old.inputs.map((input) => this.#renamed[input]);
    const values = inputs.map((input) => this.#uniform[input]);
    const types = inputs.map((input) => this.#steps[input]);
    const passed = op.passes?.(values, types, old);
    if (passed !== undefined && passed !== null) return inputs[passed];
    const value = this.#valueOf(op, { ...old, inputs }, values);
    if (value !== null && op !== constant) return this.#constant(old, value);
    return this.#shared({ ...old, inputs }, value);
  }

  #constant({ shape, dtype }: Step, value: number): number {
    const attributes = { shape, dtype, value };
    return this.#shared({ op: constant, attributes, inputs: [], shape, dtype }, value);
  }

  /** The step itself, or an earlier one that computes the same. */
  #shared(step: Step, uniform: number | null): number {
    const key = stepKey(step);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const number = this.#append(step, uniform);
    this.#known.set(key, number);
    return number;
  }

  #isEmpty(step: number): boolean {
    return sizeOf(this.#steps[step].shape) === 0;
  }

  #valueOf(op: Op, step: Step, values: readonly (number | null)[]): number | null {
    const { attributes, dtype, inputs } = step;
    if (op === constant) return attributes.value as number;
    if (op.ofNothing !== undefined && inputs.some((input) => this.#isEmpty(input))) {
      return op.ofNothing;
    }
    const known = values.filter((value) => value !== null);
    if (known.length === 0 || known.length < values.length) return null;
    if (op.view) return known[0];
    if (!op.scalar) return null;
    const types = inputs.map((input) => this.#steps[input]);
    return stored(op.scalar(types, attributes)(...known), dtype);
  }
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
  const needed = new Set([...program.sources, ...resultsOf(program)]);
  for (let i = program.steps.length - 1; i >= 0; i--) {
    if (needed.has(i)) for (const input of program.steps[i].inputs) needed.add(input);
  }
  const order = program.steps.map((_, i) => i).filter((i) => needed.has(i));
  const renamed = new Map(order.map((old, i) => [old, i]));
  const rename = (i: number) => renamed.get(i) as number;
  const steps = order.map((i) => {
    const { inputs, ...step } = program.steps[i];
    return { ...step, inputs: inputs.map(rename) };
  });
  return renumbered(program, steps, rename);
}

/** A program with other steps, in which each old step has a new number. */
function renumbered(
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
