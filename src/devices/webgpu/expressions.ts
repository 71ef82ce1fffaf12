import { DTYPES, type DType } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Step } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { type MapForm, writeMoved } from "../../forms/map.ts";
import type { ElementContext, PointwiseForm } from "../../forms/pointwise.ts";
import type { Position } from "../../forms/position.ts";
import { accumulator, converted, type ShaderFile, wgslType } from "../../forms/wgsl.ts";
import type { Bindings } from "./bindings.ts";
import { FunctionBody } from "./function-body.ts";
import type { Job } from "./jobs.ts";
import { wgslScalars } from "./scalars.ts";

/** The elements of one part of a kernel as expressions, and the functions in front of its file. */
export class PartExpressions {
  readonly functions: string[] = [];
  readonly steps: readonly Step[];
  /** Which of the kernel's results is being stored, and the anchors whose values that has. */
  result = 0;
  made: readonly number[] = [];

  constructor(
    readonly schedule: KernelSchedule,
    readonly job: Job,
    readonly bindings: Bindings,
    readonly libraries: Map<string, ShaderFile>,
  ) {
    this.steps = schedule.program.steps;
  }

  /** Has what is written call functions of these files. */
  include(libraries: readonly ShaderFile[] = []): void {
    for (const library of libraries) this.libraries.set(library.source, library);
  }

  /** Adds a function, which gives a value or nothing. */
  define(head: string, value?: string, body = new FunctionBody()): void {
    this.functions.push(body.write(head, value));
  }

  /** The step by which the memory of a step's value is known. */
  key(step: number): number {
    return this.schedule.homes.get(step) ?? step;
  }

  /** The expression of a step's element; `v` is what has the values of anchors that are known. */
  element(i: number, at: Position<string>, v: string | null): string {
    const { outputs, product } = this.job.group;
    const { dtype, shape } = this.steps[i];
    if (i === product) {
      const [row, column] = at.reshape(lastAxisRows(shape)).coordinates;
      return converted(`product_at(${row}, ${column})`, accumulator(dtype), wgslType(dtype));
    }
    const op = v === null ? -1 : this.made.indexOf(i);
    if (op >= 0) {
      const own = this.made.length > 1 ? `${v}.v${op}` : (v as string);
      return converted(own, accumulator(dtype), wgslType(dtype));
    }
    if (this.schedule.stored.has(i) && !outputs.includes(i)) {
      return at.body.bind(this.read(this.key(i), this.steps[i].dtype, at));
    }
    return at.body.once(`${i}@${at.key}`, () => {
      const form = this.steps[i].op?.form as PointwiseForm<unknown> | MapForm<unknown>;
      const context = this.context(i, at, v);
      if (form.kind === "map") return writeMoved(form, context, context.load) as string;
      this.include(form.libraries);
      return form.element(context);
    });
  }

  /** What a step's form is told of its element. */
  context(i: number, at: Position<string>, v: string | null): ElementContext<unknown, string> {
    const step = this.steps[i];
    const libraries = (step.op?.form as PointwiseForm<unknown> | undefined)?.libraries;
    return {
      at,
      result: step.result ?? 0,
      load: (input, to) => this.element(step.inputs[input], to, v),
      scalars: (dtype) => wgslScalars(dtype, libraries),
      inputs: step.inputs.map((input) => this.steps[input]),
      y: step,
      attributes: step.attributes,
    };
  }

  /** A stored value's element. */
  read(key: number, dtype: DType, at: Position<string>): string {
    const name = this.bindings.read(key, dtype);
    const e = at.linear;
    const { perWord, word, wgsl } = DTYPES[dtype];
    if (perWord > 1) return partOfWord(name, e, dtype);
    return converted(this.indexed(name, key, e), word, wgsl);
  }

  /** A buffer's element, which may be one of a vector's. */
  indexed(name: string, key: number, place: string): string {
    const at = this.bindings.placed(key, place);
    return `${name}[${this.bindings.isWide(key) ? `${at} >> 2u][${place} & 3u` : at}]`;
  }

  /** The shape over which the part's group runs. */
  get domain(): Shape {
    return this.schedule.domain(this.job.group);
  }

  /** The step that an anchor takes as an input; behind those, what the product takes that its kernel makes. */
  inputStep(input: number, op = 0): number {
    const { inputs } = this.steps[this.job.calls[op]];
    const { product = 0 } = this.job.group;
    return inputs[input] ?? this.steps[product].inputs[input - inputs.length];
  }
}

/** The rows that a tensor has along its last axis. */
function lastAxisRows(shape: Shape): Shape {
  const length = shape[shape.length - 1];
  return [sizeOf(shape) / length, length];
}

/** An element of those that share a word, the first one lowest. */
function partOfWord(name: string, e: string, dtype: DType): string {
  const { perWord } = DTYPES[dtype];
  const bits = 32 / perWord;
  const word = `${name}[${e} >> ${Math.log2(perWord)}u]`;
  const shift = `(${e} & ${perWord - 1}u) * ${bits}u`;
  if (DTYPES[dtype].min < 0) return `extractBits(${word}, ${shift}, ${bits}u)`; // with its sign
  return `((${word} >> (${shift})) & ${hex(2 ** bits - 1)}u)`;
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
