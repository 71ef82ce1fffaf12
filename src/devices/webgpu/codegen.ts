import elementwiseSource from "../../../shaders/elementwise.wgsl?raw";
import type { DType } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Program } from "../../engine/program.ts";
import type { Group, Schedule } from "../../engine/schedule.ts";
import type { Accessor, KernelProfile, PointwiseForm, ShaderFile, Stage } from "../../graph/op.ts";
import { Position } from "../../graph/position.ts";
import { literal, wgslType } from "../../graph/wgsl.ts";
import { FunctionBody } from "./function-body.ts";

/** One dispatch, written out. */
export interface KernelCode {
  readonly label: string;
  readonly code: string;
  /** The kernel file and how many lines stand in front of it, for messages. */
  readonly shader: string;
  readonly preludeLines: number;
  /** Steps whose buffers are bound read-only, in order; `SCRATCH` for the stage before. */
  readonly reads: readonly number[];
  readonly workgroups: Stage["workgroups"];
  /** Elements of what it writes. */
  readonly size: number;
  readonly dtype: DType;
}

/** Stands for what the stage before wrote. */
export const SCRATCH = -1;

const elementwiseShader = { name: "shaders/elementwise.wgsl", source: elementwiseSource };

const WORKGROUP = 64;
const OUTPUT = "output";
const LANES = [0, 1, 2, 3];

/** Writes a group's kernels: accessors and functions in front of the file of its anchor. */
export function generate(
  program: Program,
  plan: Schedule,
  group: Group,
  profile: KernelProfile,
): KernelCode[] {
  const stages = stagesOf(program, group, profile);
  return stages.map((stage, i) =>
    new Writer(program, plan, group, stage, i === stages.length - 1).write(),
  );
}

function stagesOf(program: Program, group: Group, profile: KernelProfile): readonly Stage[] {
  const step = program.steps[group.anchor ?? group.output];
  const form = step.op?.gpu;
  if (group.anchor !== null && form?.kind === "kernel") {
    const inputs = step.inputs.map((input) => program.steps[input]);
    return form.stages({ inputs, y: step, attributes: step.attributes, profile });
  }
  const count = sizeOf(step.shape);
  const size = step.dtype === "u8" ? Math.ceil(count / 4) : count; // an invocation writes one word
  return [
    {
      shader: elementwiseShader,
      type: step.dtype,
      constants: { SIZE: size, WORKGROUP },
      loads: [],
      store: { name: "y", input: 0, extents: [size] },
      workgroups: Math.ceil(size / WORKGROUP),
    },
  ];
}

/** Writes one stage. */
class Writer {
  readonly #functions: string[] = [];
  readonly #libraries = new Map<string, ShaderFile>();
  /** Steps read → the name of their buffer. */
  readonly #reads = new Map<number, string>();
  /** Buffers bound as arrays of four-wide vectors. */
  readonly #wide = new Set<number | typeof OUTPUT>();
  readonly #y: { shape: Shape; dtype: DType };

  constructor(
    readonly program: Program,
    readonly plan: Schedule,
    readonly group: Group,
    readonly stage: Stage,
    readonly last: boolean,
  ) {
    const { store, type } = stage;
    this.#y = last ? program.steps[group.output] : { shape: store.extents, dtype: type };
  }

  write(): KernelCode {
    const { stage, group } = this;
    for (const library of stage.libraries ?? []) this.#include(library);
    this.#markWide();
    if (group.anchor === null) this.#value();
    for (const accessor of stage.loads) this.#load(accessor);
    this.#store(stage.store);
    const prelude = this.#prelude();
    return {
      label: this.#label(),
      code: `${prelude}${stage.shader.source}`,
      shader: stage.shader.name,
      preludeLines: prelude.split("\n").length - 1,
      reads: [...this.#reads.keys()],
      workgroups: stage.workgroups,
      size: sizeOf(this.#y.shape),
      dtype: this.#y.dtype,
    };
  }

  #label(): string {
    const names = new Set<string>();
    const visit = (i: number) => {
      const step = this.program.steps[i];
      if (
        step.op &&
        (i === this.group.output || i === this.group.anchor || !this.plan.stored.has(i))
      ) {
        for (const input of step.inputs) visit(input);
        names.add(step.op.name);
      }
    };
    visit(this.group.output);
    return [...names].slice(-6).join("+");
  }

  #include(library: ShaderFile): void {
    this.#libraries.set(library.name, library);
  }

  // ---- expressions

  /** The expression of a step's element; `v` is the anchor's value where that is known. */
  #element(i: number, at: Position, body: FunctionBody, v: string | null): string {
    if (i === this.group.anchor && v !== null) return v;
    const inGroup = i === this.group.output && (v !== null || this.group.anchor === null);
    if (this.plan.stored.has(i) && !inGroup) return body.bind(this.#read(i, at));
    const step = this.program.steps[i];
    return body.once(`${i}@${at.key}`, () => {
      const form = step.op?.gpu as PointwiseForm<unknown>;
      for (const library of form.libraries ?? []) this.#include(library);
      return form.element({
        at,
        load: (input, to) => this.#element(step.inputs[input], to, body, v),
        inputs: step.inputs.map((input) => this.program.steps[input]),
        y: step,
        attributes: step.attributes,
      });
    });
  }

  #buffer(i: number): string {
    let name = this.#reads.get(i);
    if (!name) {
      name = `input${this.#reads.size}`;
      this.#reads.set(i, name);
    }
    return name;
  }

  #read(i: number, at: Position): string {
    const name = this.#buffer(i);
    const dtype = i === SCRATCH ? this.stage.type : this.program.steps[i].dtype;
    const e = at.linear;
    if (this.#wide.has(i)) return `${name}[${e} >> 2u][${e} & 3u]`;
    if (dtype === "bool") return `(${name}[${e}] != 0u)`;
    if (dtype === "u8") return `((${name}[${e} >> 2u] >> ((${e} & 3u) * 8u)) & 0xffu)`;
    return `${name}[${e}]`;
  }

  // ---- accessors

  #value(): void {
    const body = new FunctionBody();
    const { shape, dtype } = this.program.steps[this.group.output];
    const result = this.#element(this.group.output, Position.linear(body, shape, "i"), body, null);
    const name = dtype === "u8" ? "byte_y" : "value_y";
    this.#functions.push(body.write(`fn ${name}(i: u32) -> ${wgslType(dtype)}`, result));
    if (dtype === "u8") this.#functions.push(packBytes(sizeOf(shape)));
  }

  #inputStep(accessor: Accessor): number {
    if (accessor.input === SCRATCH) return SCRATCH;
    return this.program.steps[this.group.anchor as number].inputs[accessor.input];
  }

  #inputType(accessor: Accessor): { shape: Shape; dtype: DType } {
    const i = this.#inputStep(accessor);
    if (i !== SCRATCH) return this.program.steps[i];
    return { shape: accessor.extents, dtype: this.stage.type };
  }

  #load(accessor: Accessor): void {
    const { shape, dtype } = this.#inputType(accessor);
    const type = wgslType(dtype);
    const names = accessor.extents.map((_, axis) => `p${axis}`);
    const parameters = declare(names);
    const body = new FunctionBody();
    const outside = accessor.outside ?? literal(0, dtype);
    for (const test of guards(accessor, names)) body.line(`if (${test}) { return ${outside}; }`);
    const at = Position.at(body, accessor.extents, names).reshape(shape);
    const i = this.#inputStep(accessor);
    const value = i === SCRATCH ? this.#read(i, at) : this.#element(i, at, body, null);
    this.#functions.push(body.write(`fn load_${accessor.name}(${parameters}) -> ${type}`, value));
    if (accessor.wide !== undefined) this.#loadWide(accessor, type, names);
  }

  /** Four neighbours along one parameter: one vector where the buffer allows it, else four loads. */
  #loadWide(accessor: Accessor, type: string, names: readonly string[]): void {
    const wide = accessor.wide as number;
    const head = `fn load_${accessor.name}4(${declare(names)})`;
    const body = new FunctionBody();
    const direct = this.#directStep(accessor);
    if (direct !== null && this.#wide.has(direct)) {
      const zero = `vec4<${type}>(${accessor.outside ?? literal(0, this.#inputType(accessor).dtype)})`;
      for (const test of guards(accessor, names)) body.line(`if (${test}) { return ${zero}; }`);
      const at = Position.at(body, accessor.extents, names);
      const value = `${this.#buffer(direct)}[${at.linear} >> 2u]`;
      this.#functions.push(body.write(`${head} -> vec4<${type}>`, value));
      return;
    }
    const lanes = LANES.map((lane) => `load_${accessor.name}(${shifted(names, wide, lane)})`);
    this.#functions.push(
      body.write(`${head} -> vec4<${type}>`, `vec4<${type}>(${lanes.join(", ")})`),
    );
  }

  /** The stored step that an accessor reads without any change of order, if there is one. */
  #directStep(accessor: Accessor): number | null {
    if (accessor.wide !== accessor.extents.length - 1) return null;
    if (accessor.extents[accessor.wide] % 4 !== 0 || accessor.input === SCRATCH) return null;
    let i = this.#inputStep(accessor);
    while (!this.plan.stored.has(i)) {
      const form = this.program.steps[i].op?.gpu;
      if (form?.kind !== "pointwise" || !form.linear || form.cost > 0) return null;
      if (this.program.steps[i].inputs.length !== 1) return null;
      i = this.program.steps[i].inputs[0];
    }
    const { dtype } = this.program.steps[i];
    return dtype === "f32" || dtype === "i32" || dtype === "u32" ? i : null;
  }

  #markWide(): void {
    for (const accessor of this.stage.loads) {
      const direct = accessor.wide === undefined ? null : this.#directStep(accessor);
      if (direct !== null) this.#wide.add(direct);
    }
    const { wide, extents } = this.stage.store;
    const aligned = wide === extents.length - 1 && extents[wide] % 4 === 0;
    if (aligned && this.#y.dtype !== "bool") this.#wide.add(OUTPUT);
  }

  #store(accessor: Accessor): void {
    const type =
      this.group.anchor === null ? wgslType(this.#y.dtype) : wgslType(this.#anchorType());
    const names = accessor.extents.map((_, axis) => `p${axis}`);
    const parameters = declare(names);
    const stored = this.#y.dtype === "bool" ? "u32" : wgslType(this.#y.dtype);
    const epilogue = new FunctionBody();
    const at = Position.at(epilogue, accessor.extents, names);
    const value = this.#finalValue(at, epilogue);
    const result = this.#y.dtype === "bool" ? `select(0u, 1u, ${value})` : value;
    this.#functions.push(
      epilogue.write(`fn final_${accessor.name}(${parameters}, v: ${type}) -> ${stored}`, result),
    );
    const body = new FunctionBody();
    for (const test of guards(accessor, names)) body.line(`if (${test}) { return; }`);
    const linear = Position.at(body, accessor.extents, names).linear;
    const place = this.#wide.has(OUTPUT) ? `${linear} >> 2u][${linear} & 3u` : linear;
    body.line(`${OUTPUT}[${place}] = final_${accessor.name}(${names.join(", ")}, v);`);
    this.#functions.push(body.write(`fn store_${accessor.name}(${parameters}, v: ${type})`));
    if (accessor.wide !== undefined) this.#storeWide(accessor, type, stored, names);
  }

  #storeWide(accessor: Accessor, type: string, stored: string, names: readonly string[]): void {
    const wide = accessor.wide as number;
    const body = new FunctionBody();
    if (this.#wide.has(OUTPUT)) {
      for (const test of guards(accessor, names)) body.line(`if (${test}) { return; }`);
      const at = Position.at(body, accessor.extents, names).linear;
      const lanes = LANES.map(
        (lane) => `final_${accessor.name}(${shifted(names, wide, lane)}, v[${lane}])`,
      );
      body.line(`${OUTPUT}[${at} >> 2u] = vec4<${stored}>(${lanes.join(", ")});`);
    } else {
      for (const lane of LANES) {
        const call = `store_${accessor.name}(${shifted(names, wide, lane)}, v[${lane}]);`;
        const n = accessor.extents[wide];
        body.line(lane ? `if (${names[wide]} + ${lane}u < ${n}u) { ${call} }` : call);
      }
    }
    const parameters = declare(names);
    this.#functions.push(body.write(`fn store_${accessor.name}4(${parameters}, v: vec4<${type}>)`));
  }

  #anchorType(): DType {
    return this.last ? this.program.steps[this.group.anchor as number].dtype : this.stage.type;
  }

  #finalValue(at: Position, body: FunctionBody): string {
    const { anchor, output } = this.group;
    if (!this.last || anchor === null || anchor === output) return "v";
    return this.#element(output, at.reshape(this.program.steps[output].shape), body, "v");
  }

  // ---- the whole

  #prelude(): string {
    const lines = [`alias T = ${wgslType(this.stage.type)};`];
    for (const [name, n] of Object.entries(this.stage.constants)) {
      lines.push(`const ${name} = ${n}u;`);
    }
    const arrayType = (i: number | typeof OUTPUT, dtype: DType) => {
      const type = dtype === "bool" || dtype === "u8" ? "u32" : wgslType(dtype);
      return this.#wide.has(i) ? `array<vec4<${type}>>` : `array<${type}>`;
    };
    let binding = 0;
    for (const [i, name] of this.#reads) {
      const dtype = i === SCRATCH ? this.stage.type : this.program.steps[i].dtype;
      lines.push(
        `@group(0) @binding(${binding++}) var<storage, read> ${name}: ${arrayType(i, dtype)};`,
      );
    }
    lines.push(
      `@group(0) @binding(${binding}) var<storage, read_write> ${OUTPUT}: ` +
        `${arrayType(OUTPUT, this.#y.dtype)};`,
      "fn linear_workgroup(id: vec3u, count: vec3u) -> u32 { return id.y * count.x + id.x; }",
      "fn bits_to_f32(bits: u32) -> f32 { return bitcast<f32>(bits); }",
      ...[...this.#libraries.values()].map((library) => library.source),
      this.stage.functions ?? "",
      ...this.#functions,
    );
    return `${lines.join("\n")}\n`;
  }
}

/** A word of four bytes, the first one lowest; those behind the end repeat the last. */
function packBytes(size: number): string {
  const bytes = LANES.map(
    (lane) => `(byte_y(min(4u * i + ${lane}u, ${size - 1}u)) << ${8 * lane}u)`,
  );
  return new FunctionBody().write("fn value_y(i: u32) -> u32", bytes.join(" | "));
}

/** Declares an accessor's parameters. */
function declare(names: readonly string[]): string {
  return names.map((name) => `${name}: u32`).join(", ");
}

/** An accessor's arguments for one lane of a four-wide call. */
function shifted(names: readonly string[], wide: number, lane: number): string {
  return names
    .map((name, axis) => (axis === wide && lane > 0 ? `${name} + ${lane}u` : name))
    .join(", ");
}

function guards(accessor: Accessor, names: readonly string[]): string[] {
  const tests = names.map((name, axis) =>
    accessor.ragged?.[axis] ? `${name} >= ${accessor.extents[axis]}u` : "",
  );
  return tests.filter((test) => test !== "");
}
