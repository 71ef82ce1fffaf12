import type { DType } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Program } from "../../engine/program.ts";
import type { Schedule } from "../../engine/schedule.ts";
import { opsOf } from "../../engine/stats.ts";
import type { Accessor, ElementContext, PointwiseForm, ShaderFile, Stage } from "../../graph/op.ts";
import { Position, plus, times } from "../../graph/position.ts";
import { wgslType } from "../../graph/wgsl.ts";
import { assemble, type PartText, type Region } from "./assemble.ts";
import { type Binding, Bindings } from "./bindings.ts";
import { type DirectView, directView, isVectorAlong } from "./direct-view.ts";
import { FunctionBody } from "./function-body.ts";
import type { Job } from "./jobs.ts";

/** One dispatch, written out. */
export interface KernelCode {
  readonly label: string;
  readonly code: string;
  /** Where its files lie in the code, for messages. */
  readonly regions: readonly Region[];
  readonly bindings: readonly Binding[];
  /** Workgroups of a linear grid. */
  readonly workgroups: number;
}

/** Stands for what the stage before wrote, in accessors. */
const SCRATCH = -1;

const LANES = [0, 1, 2, 3];

/** Writes the kernel of jobs that share a dispatch. */
export function generate(plan: Schedule, jobs: readonly Job[]): KernelCode {
  const bindings = new Bindings();
  const libraries = new Map<string, ShaderFile>();
  const writers = jobs.map((job) => new PartWriter(plan, job, bindings, libraries));
  for (const writer of writers) writer.markWide();
  const parts = writers.map((writer) => writer.write());
  const shared = [
    jobs.some(({ stage }) => stage.subgroups) ? "enable subgroups;" : "",
    ...bindings.declarations(),
    "fn linear_workgroup(id: vec3u, count: vec3u) -> u32 { return id.y * count.x + id.x; }",
    "fn bits_to_f32(bits: u32) -> f32 { return bitcast<f32>(bits); }",
    // Hides from a compiler what made a number: see src/ops/exact.ts.
    "fn exact(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x)); }",
    ...[...libraries.values()].map((library) => library.source),
  ];
  return {
    label: writers.map((writer) => writer.label).join(" | "),
    ...assemble(`${shared.join("\n")}\n`, parts),
    bindings: bindings.all,
    workgroups: jobs.reduce((sum, { stage }) => sum + stage.workgroups, 0),
  };
}

/** A value that a kernel stores: its expression, and its place if that is not the element's. */
interface Result {
  readonly step: number;
  readonly value: string;
  readonly place: string | null;
}

/** Writes one part of a kernel: accessors and functions in front of its file. */
class PartWriter {
  readonly #functions: string[] = [];
  readonly #program: Program;
  readonly #stage: Stage;

  constructor(
    readonly plan: Schedule,
    readonly job: Job,
    readonly bindings: Bindings,
    readonly libraries: Map<string, ShaderFile>,
  ) {
    this.#program = plan.program;
    this.#stage = job.stage;
  }

  write(): PartText {
    const { shader, libraries, loads, store, constants, functions, type } = this.#stage;
    for (const library of libraries ?? []) this.#include(library);
    if (this.job.group.anchor === null) this.#writeAll();
    else {
      for (const accessor of loads) this.#load(accessor);
      this.#store(store);
    }
    const lines = [
      `alias T = ${wgslType(type)};`,
      ...Object.entries(constants).map(([name, n]) => `const ${name} = ${n}u;`),
      functions ?? "",
      ...this.#functions,
    ];
    const { workgroups, threads } = this.#stage;
    return {
      head: `${lines.join("\n")}\n`,
      file: shader.name,
      source: shader.source,
      workgroups,
      threads,
    };
  }

  /** The ops of the part; where there are many, the one with a kernel file and the last ones. */
  get label(): string {
    const { anchor } = this.job.group;
    const last = opsOf(this.plan, this.job.group).slice(-6);
    const name = anchor === null ? undefined : this.#program.steps[anchor].op?.name;
    return (name && !last.includes(name) ? [name, "…", ...last.slice(-5)] : last).join("+");
  }

  #include(library: ShaderFile): void {
    this.libraries.set(library.source, library);
  }

  #key(step: number): number {
    return this.plan.homes.get(step) ?? step;
  }

  /** The expression of a step's element; `v` is the anchor's value where that is known. */
  #element(i: number, at: Position, body: FunctionBody, v: string | null): string {
    const { anchor, outputs } = this.job.group;
    if (i === anchor && v !== null) return v;
    const isOwn = outputs.includes(i) && (v !== null || anchor === null);
    if (this.plan.stored.has(i) && !isOwn) return body.bind(this.#read(i, at));
    return body.once(`${i}@${at.key}`, () => {
      const form = this.#program.steps[i].op?.gpu as PointwiseForm<unknown>;
      for (const library of form.libraries ?? []) this.#include(library);
      return form.element(this.#context(i, at, body, v));
    });
  }

  #context(i: number, at: Position, body: FunctionBody, v: string | null): ElementContext<unknown> {
    const { steps } = this.#program;
    const step = steps[i];
    return {
      at,
      load: (input, to) => this.#element(step.inputs[input], to, body, v),
      inputs: step.inputs.map((input) => steps[input]),
      y: step,
      attributes: step.attributes,
    };
  }

  /** What the group stores for the element at `at`. */
  #results(at: Position, body: FunctionBody, v: string | null): Result[] {
    return this.job.group.outputs.map((step) => {
      const { shape, inputs, op } = this.#program.steps[step];
      if (!this.plan.scattered.has(step)) {
        const value = this.#element(step, at.reshape(shape), body, v);
        return { step, value: this.#asStored(step, value), place: null };
      }
      const form = op?.gpu as PointwiseForm<unknown>;
      const scatter = form.scatter as NonNullable<typeof form.scatter>;
      const source = inputs[scatter.value];
      const to = at.reshape(this.#program.steps[source].shape);
      const value = this.#element(source, to, body, v);
      const place = body.bind(scatter.place(this.#context(step, to, body, v)));
      return { step, value: this.#asStored(step, value), place };
    });
  }

  #asStored(step: number, value: string): string {
    return this.#program.steps[step].dtype === "bool" ? `select(0u, 1u, ${value})` : value;
  }

  /** Stores what the group stores for the element at `at`. */
  #storeResults(at: Position, body: FunctionBody, v: string | null, beyond = ""): void {
    // All is read before anything is written, for a result may replace what another is made of.
    const results = this.#results(at, body, v).map((result) => ({
      ...result,
      value: body.bind(result.value),
    }));
    leave(body, beyond);
    for (const { step, value, place } of results) {
      const key = this.#key(step);
      const { dtype } = this.#program.steps[step];
      body.line(this.#assign(key, dtype, place ?? at.linear, value));
    }
  }

  #read(i: number, at: Position): string {
    return this.#readBuffer(this.#key(i), this.#program.steps[i].dtype, at);
  }

  #readBuffer(key: number, dtype: DType, at: Position): string {
    const name = this.bindings.read(key, dtype);
    const e = at.linear;
    if (this.bindings.isWide(key)) return `${name}[${e} >> 2u][${e} & 3u]`;
    if (dtype === "bool") return `(${name}[${e}] != 0u)`;
    if (dtype === "u8") return `((${name}[${e} >> 2u] >> ((${e} & 3u) * 8u)) & 0xffu)`;
    return `${name}[${e}]`;
  }

  #assign(key: number, dtype: DType, place: string, value: string): string {
    const name = this.bindings.write(key, dtype);
    const wide = this.bindings.isWide(key);
    return `${name}[${wide ? `${place} >> 2u][${place} & 3u` : place}] = ${value};`;
  }

  /** The function of a group without a kernel file. */
  #writeAll(): void {
    const [first] = this.job.group.outputs;
    if (this.#program.steps[first].dtype === "u8") {
      this.#writeBytes(first);
      return;
    }
    const body = new FunctionBody();
    const at = Position.linear(body, this.plan.domain(this.job.group), "i");
    this.#storeResults(at, body, null);
    this.#functions.push(body.write("fn write_y(i: u32)"));
  }

  /** The function of a group of one u8 result: four bytes a word, the first one lowest. */
  #writeBytes(step: number): void {
    const { shape } = this.#program.steps[step];
    const body = new FunctionBody();
    const byte = this.#element(step, Position.linear(body, shape, "i"), body, null);
    this.#functions.push(body.write("fn byte_y(i: u32) -> u32", byte));
    const last = sizeOf(shape) - 1;
    const bytes = LANES.map((lane) => `(byte_y(min(4u * i + ${lane}u, ${last}u)) << ${8 * lane}u)`);
    const name = this.bindings.write(this.#key(step), "u8");
    const word = new FunctionBody();
    word.line(`${name}[i] = ${bytes.join(" | ")};`);
    this.#functions.push(word.write("fn write_y(i: u32)"));
  }

  #inputStep(accessor: Accessor): number {
    if (accessor.input === SCRATCH) return SCRATCH;
    return this.#program.steps[this.job.group.anchor as number].inputs[accessor.input];
  }

  #inputType(accessor: Accessor): { shape: Shape; dtype: DType } {
    const i = this.#inputStep(accessor);
    if (i !== SCRATCH) return this.#program.steps[i];
    return { shape: accessor.extents, dtype: this.#stage.type };
  }

  #load(accessor: Accessor): void {
    const { shape, dtype } = this.#inputType(accessor);
    const type = wgslType(dtype);
    const names = accessor.extents.map((_, axis) => `p${axis}`);
    const body = new FunctionBody();
    const at = Position.at(body, accessor.extents, names).reshape(shape);
    const i = this.#inputStep(accessor);
    const value =
      i === SCRATCH
        ? this.#readBuffer(this.job.scratchIn as number, dtype, at)
        : this.#element(i, at, body, null);
    const head = `fn load_${accessor.name}(${declare(names)}) -> ${type}`;
    this.#functions.push(body.write(head, guarded(accessor, names, type, value)));
    if (accessor.wide !== undefined) this.#loadWide(accessor, type, names);
  }

  /** Four neighbours along one parameter: one vector where the buffer allows it, else four loads. */
  #loadWide(accessor: Accessor, type: string, names: readonly string[]): void {
    const { wide = 0, block, name } = accessor;
    const view = this.#viewAlong(accessor, wide);
    if (view) this.#loadVector(accessor, `load_${name}4`, view, type, names);
    else {
      const lanes = LANES.map((lane) => `load_${name}(${shifted(names, wide, lane)})`);
      const head = `fn load_${name}4(${declare(names)}) -> vec4<${type}>`;
      this.#functions.push(new FunctionBody().write(head, `vec4<${type}>(${lanes.join(", ")})`));
    }
    if (block === undefined) return;
    // 4 × 4 neighbours as rows of four, loaded along the parameter along which memory runs.
    const across = view ? null : this.#viewAlong(accessor, block);
    if (across) this.#loadVector(accessor, `load_${name}4_across`, across, type, names);
    const [f, axis] = across ? [`load_${name}4_across`, wide] : [`load_${name}4`, block];
    const rows = LANES.map((lane) => `${f}(${shifted(names, axis, lane)})`);
    const matrix = `mat4x4(${rows.join(", ")})`;
    const head = `fn load_${name}4x4(${declare(names)}) -> mat4x4<${type}>`;
    const value = across ? `transpose(${matrix})` : matrix;
    this.#functions.push(new FunctionBody().write(head, value));
  }

  /** Four neighbours in memory; what lies outside counts as outside altogether. */
  #loadVector(
    accessor: Accessor,
    name: string,
    { step, strided }: DirectView,
    type: string,
    names: readonly string[],
  ): void {
    const body = new FunctionBody();
    const buffer = this.bindings.read(this.#key(step), this.#program.steps[step].dtype);
    const { extents } = accessor;
    const terms = names.map((p, axis) =>
      extents[axis] === 1 ? "0u" : times(p, strided.strides[axis]),
    );
    const value = `${buffer}[${terms.reduce(plus, `${strided.offset}u`)} >> 2u]`;
    const vector = `vec4<${type}>`;
    const head = `fn ${name}(${declare(names)}) -> ${vector}`;
    this.#functions.push(body.write(head, guarded(accessor, names, vector, value)));
  }

  /** What an accessor reads, if neighbours along a parameter are neighbours in whole vectors. */
  #viewAlong(accessor: Accessor, axis: number): DirectView | null {
    if (accessor.input === SCRATCH) return null;
    const view = directView(this.plan, this.#inputStep(accessor), accessor.extents);
    return view && isVectorAlong(view.strided, axis) ? view : null;
  }

  /** Says which buffers this part would have as four-wide vectors. */
  markWide(): void {
    for (const accessor of this.#stage.loads) {
      for (const axis of [accessor.wide, accessor.block]) {
        const view = axis === undefined ? null : this.#viewAlong(accessor, axis);
        if (view) this.bindings.markWide(this.#key(view.step));
      }
    }
    const { wide, extents } = this.#stage.store;
    if (wide === undefined || wide !== extents.length - 1 || extents[wide] % 4 !== 0) return;
    if (this.#isEachWide()) {
      for (const key of this.job.writes) this.bindings.markWide(key);
    }
  }

  /** Whether all that is stored may be stored by fours. */
  #isEachWide(): boolean {
    const isWide = (step: number) =>
      this.#program.steps[step].dtype !== "bool" && !this.plan.scattered.has(step);
    return this.job.last && this.job.group.outputs.every(isWide);
  }

  #store(accessor: Accessor): void {
    const names = accessor.extents.map((_, axis) => `p${axis}`);
    const type = wgslType(this.#anchorType());
    const body = new FunctionBody();
    const at = Position.at(body, accessor.extents, names);
    if (this.job.last) this.#storeResults(at, body, "v", beyond(accessor, names));
    else {
      leave(body, beyond(accessor, names));
      const key = this.job.scratchOut as number;
      body.line(this.#assign(key, this.#stage.type, at.linear, "v"));
    }
    this.#functions.push(body.write(`fn store_${accessor.name}(${declare(names)}, v: ${type})`));
    if (accessor.wide !== undefined) this.#storeWide(accessor, type, names);
  }

  #storeWide(accessor: Accessor, type: string, names: readonly string[]): void {
    const wide = accessor.wide as number;
    const body = new FunctionBody();
    const whole = wide === accessor.extents.length - 1 && accessor.extents[wide] % 4 === 0;
    if (whole && this.#isEachWide()) {
      const lanes = LANES.map((lane) => {
        const own = names.map((name, axis) =>
          axis === wide && lane > 0 ? body.bind(`${name} + ${lane}u`) : name,
        );
        const at = Position.at(body, accessor.extents, own);
        return this.#results(at, body, `v[${lane}]`).map(({ value }) => body.bind(value));
      });
      const at = Position.at(body, accessor.extents, names).linear;
      leave(body, beyond(accessor, names));
      this.job.group.outputs.forEach((step, r) => {
        const { dtype } = this.#program.steps[step];
        const values = lanes.map((values) => values[r]).join(", ");
        const name = this.bindings.write(this.#key(step), dtype);
        body.line(`${name}[${at} >> 2u] = vec4<${wgslType(dtype)}>(${values});`);
      });
    } else {
      for (const lane of LANES) {
        body.line(`store_${accessor.name}(${shifted(names, wide, lane)}, v[${lane}]);`);
      }
    }
    const parameters = declare(names);
    this.#functions.push(body.write(`fn store_${accessor.name}4(${parameters}, v: vec4<${type}>)`));
  }

  #anchorType(): DType {
    const { last, group } = this.job;
    return last ? this.#program.steps[group.anchor as number].dtype : this.#stage.type;
  }
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

/** What is loaded, or what stands for it outside: chosen, for a branch may cost more than a load. */
function guarded(
  accessor: Accessor,
  names: readonly string[],
  type: string,
  value: string,
): string {
  const test = beyond(accessor, names);
  return test ? `select(${value}, ${type}(${accessor.outside ?? 0}), ${test})` : value;
}

/** Leaves a function that has stored nothing yet, for what has been computed is of no use there. */
function leave(body: FunctionBody, test: string): void {
  if (test) body.line(`if (${test}) { return; }`);
}

/** The test of whether a kernel has left what an accessor covers; empty where it cannot. */
function beyond({ ragged, extents }: Accessor, names: readonly string[]): string {
  const tests = names.map((name, axis) => ragged?.[axis] && `(${name} >= ${extents[axis]}u)`);
  return tests.filter(Boolean).join(" | ");
}
