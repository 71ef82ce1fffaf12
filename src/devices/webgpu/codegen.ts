import { DTYPES, type DType, is } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { resultTypes, type Step } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { opsOf } from "../../engine/stats.ts";
import { writeQuarter } from "../../forms/indices.ts";
import type { Accessor, Load, Stage } from "../../forms/kernel.ts";
import { type MapForm, writeMoved } from "../../forms/map.ts";
import type { ElementContext, PointwiseForm } from "../../forms/pointwise.ts";
import { Position } from "../../forms/position.ts";
import { accumulator, converted, type ShaderFile, wgslType } from "../../forms/wgsl.ts";
import { PRELUDE } from "../../kernels/shaders.ts";
import { assemble, type PartText, type Region } from "./assemble.ts";
import { type Binding, Bindings } from "./bindings.ts";
import { FunctionBody } from "./function-body.ts";
import type { Job } from "./jobs.ts";

/** One dispatch, written out. */
export interface KernelCode {
  readonly label: string;
  /** Its numbers are still in brackets: see src/forms/number.ts. */
  readonly code: string;
  /** Where its files lie in the code, for messages. */
  readonly regions: readonly Region[];
  readonly bindings: readonly Binding[];
  /** Workgroups of a linear grid. */
  readonly workgroups: number;
}

const LANES = [0, 1, 2, 3];

/** Writes the kernel of jobs that share a dispatch. */
export function generate(schedule: KernelSchedule, jobs: readonly Job[]): KernelCode {
  const bindings = new Bindings();
  const libraries = new Map<string, ShaderFile>();
  const writers = jobs.map((job) => new PartWriter(schedule, job, bindings, libraries));
  for (const writer of writers) writer.markWide();
  const parts = writers.map((writer) => writer.write());
  const shared = [
    jobs.some(({ stage }) => stage.kernel.subgroups) ? "enable subgroups;" : "",
    ...bindings.declarations(),
    PRELUDE.source,
    ...[...libraries.values()].map((library) => library.source),
  ];
  return {
    label: writers.map((writer) => writer.label).join(" | "),
    ...assemble(`${shared.join("\n")}\n`, parts),
    bindings: bindings.all,
    workgroups: jobs.reduce((sum, { stage }) => sum + stage.workgroups, 0),
  };
}

/** A value that a kernel stores: its memory and expression, and its place if not the element's. */
interface Result {
  readonly key: number;
  readonly dtype: DType;
  readonly value: string;
  readonly place?: string;
}

/** Writes one part of a kernel: accessors and functions in front of its file. */
class PartWriter {
  readonly #functions: string[] = [];
  readonly #steps: readonly Step[];
  readonly #stage: Stage;
  /** The anchor whose value is known where results are stored. */
  #anchor: number | undefined;

  constructor(
    readonly schedule: KernelSchedule,
    readonly job: Job,
    readonly bindings: Bindings,
    readonly libraries: Map<string, ShaderFile>,
  ) {
    this.#steps = schedule.program.steps;
    this.#stage = job.stage;
  }

  write(): PartText {
    const { kernel, libraries, loads, constants, functions, type } = this.#stage;
    const { workgroups, threads } = this.#stage;
    this.#include(libraries);
    if (this.job.group.anchors.length === 0) this.#writeAll();
    else {
      loads.forEach((load, input) => {
        this.#load(load, input);
      });
      this.#storeAll();
    }
    const lines = [
      `alias Acc = ${accumulator(type)};`,
      ...Object.entries(constants).map(([name, n]) => `const ${name} = ${n}u;`),
      ...functions,
      ...this.#functions,
    ];
    return { head: `${lines.join("\n")}\n`, files: kernel.files, workgroups, threads };
  }

  /** The ops of the part; where there are many, the one with a kernel file and the last ones. */
  get label(): string {
    const last = opsOf(this.schedule, this.job.group).slice(-6);
    const name = this.#steps[this.job.group.anchors[0]]?.op?.name;
    return (name && !last.includes(name) ? [name, "…", ...last.slice(-5)] : last).join("+");
  }

  #include(libraries: readonly ShaderFile[] = []): void {
    for (const library of libraries) this.libraries.set(library.source, library);
  }

  /** Adds a function, which gives a value or nothing. */
  #define(head: string, value?: string, body = new FunctionBody()): void {
    this.#functions.push(body.write(head, value));
  }

  #key(step: number): number {
    return this.schedule.homes.get(step) ?? step;
  }

  /** The expression of a step's element; `v` is the anchor's value where that is known. */
  #element(i: number, at: Position, v: string | null): string {
    const { anchors, outputs } = this.job.group;
    const { dtype } = this.#steps[i];
    if (i === this.#anchor && v !== null) return converted(v, accumulator(dtype), wgslType(dtype));
    const isOwn = outputs.includes(i) && (v !== null || anchors.length === 0);
    if (this.schedule.stored.has(i) && !isOwn) {
      return at.body.bind(this.#read(this.#key(i), this.#steps[i].dtype, at));
    }
    return at.body.once(`${i}@${at.key}`, () => {
      const form = this.#steps[i].op?.form as PointwiseForm<unknown> | MapForm<unknown>;
      const context = this.#context(i, at, v);
      if (form.kind === "map") return writeMoved(form, context, context.load) as string;
      this.#include(form.libraries);
      return form.element(context);
    });
  }

  #context(i: number, at: Position, v: string | null): ElementContext<unknown> {
    const step = this.#steps[i];
    return {
      at,
      result: step.result ?? 0,
      load: (input, to) => this.#element(step.inputs[input], to, v),
      inputs: step.inputs.map((input) => this.#steps[input]),
      y: step,
      attributes: step.attributes,
    };
  }

  /** What the stage stores for the element at `at`. */
  #results(at: Position, v: string | null): Result[] {
    const { group } = this.job;
    const isMade = (step: number) => this.schedule.anchorOf(group.anchors, step) === this.#anchor;
    return group.outputs.filter(isMade).map((step) => {
      const { dtype, inputs, op } = this.#steps[step];
      const isScattered = this.schedule.scattered.has(step);
      const source = isScattered ? inputs[op?.scatter as number] : step;
      const to = at.reshape(this.#steps[source].shape);
      const element = this.#element(source, to, v);
      return {
        key: this.#key(step),
        dtype,
        value: converted(element, wgslType(dtype), DTYPES[dtype].word),
        place: isScattered ? this.#place(step, to, v) : undefined,
      };
    });
  }

  /** Where in its result a step that writes in place puts its value's element at `at`. */
  #place(step: number, at: Position, v: string | null): string | undefined {
    const form = this.#steps[step].op?.form as PointwiseForm<unknown>;
    const place = form.place?.(this.#context(step, at, v));
    return place && at.body.bind(place);
  }

  /** Stores what the stage stores for the element at `at`. */
  #storeResults(at: Position, body: FunctionBody, v: string | null, beyond = ""): void {
    // All is read before anything is written, for a result may replace what another is made of.
    const results = this.#results(at, v).map((result) => ({
      ...result,
      value: body.bind(result.value),
    }));
    leave(body, beyond);
    for (const { key, dtype, value, place = at.linear } of results) {
      const name = this.bindings.write(key, dtype);
      body.line(`${this.#indexed(name, key, place)} = ${value};`);
    }
  }

  #read(key: number, dtype: DType, at: Position): string {
    const name = this.bindings.read(key, dtype);
    const e = at.linear;
    const { perWord, word, wgsl } = DTYPES[dtype];
    if (perWord > 1) return `((${name}[${e} >> 2u] >> ((${e} & 3u) * 8u)) & 0xffu)`;
    return converted(this.#indexed(name, key, e), word, wgsl);
  }

  /** A buffer's element, which may be one of a vector's. */
  #indexed(name: string, key: number, place: string): string {
    return `${name}[${this.bindings.isWide(key) ? `${place} >> 2u][${place} & 3u` : place}]`;
  }

  /** The function of a group without a kernel file. */
  #writeAll(): void {
    const [first] = this.job.group.outputs;
    const body = new FunctionBody();
    if (DTYPES[this.#steps[first].dtype].perWord > 1) this.#writeBytes(first, body);
    else this.#storeResults(Position.linear(body, this.#domain, "i"), body, null);
    this.#define("fn write_y(i: u32)", undefined, body);
  }

  get #domain(): Shape {
    return this.schedule.domain(this.job.group);
  }

  /** Stores one result of bytes: four a word, the first one lowest. */
  #writeBytes(step: number, word: FunctionBody): void {
    const body = new FunctionBody();
    const byte = this.#element(step, Position.linear(body, this.#domain, "i"), null);
    this.#define("fn byte_y(i: u32) -> u32", byte, body);
    const last = sizeOf(this.#domain) - 1;
    const bytes = LANES.map((lane) => `(byte_y(min(4u * i + ${lane}u, ${last}u)) << ${8 * lane}u)`);
    word.line(
      `${this.bindings.write(this.#key(step), this.#steps[step].dtype)}[i] = ${bytes.join(" | ")};`,
    );
  }

  #inputStep(input: number): number {
    return this.#steps[this.job.group.anchors[0]].inputs[input];
  }

  #load(accessor: Load, input: number): void {
    const { extents, name, wide } = accessor;
    const body = new FunctionBody();
    const at = Position.at(body, extents, parameterNames(accessor));
    const i = this.#inputStep(input);
    const { dtype, shape } = this.#steps[i];
    const value = this.#element(i, at.reshape(shape), null);
    const type = accumulator(dtype);
    const head = `fn load_${name}(${declare(accessor)}) -> ${type}`;
    const element = converted(value, wgslType(dtype), type);
    this.#define(head, guarded(accessor, type, element), body);
    if (wide !== undefined) this.#loadWide(accessor, input, type, wide);
  }

  /** Four neighbours along one parameter: one vector where the buffer allows it, else four loads. */
  #loadWide(accessor: Load, input: number, type: string, wide: number): void {
    const { block, name } = accessor;
    const four = `load_${name}4`;
    const isVector = this.#loadVector(accessor, input, four, wide, type);
    if (!isVector) {
      const head = `fn ${four}(${declare(accessor)}) -> vec4<${type}>`;
      this.#define(head, `vec4<${type}>(${calls(`load_${name}`, accessor, wide)})`);
    }
    if (block === undefined) return;
    // 4 × 4 neighbours as rows of four, loaded along the parameter along which memory runs.
    const across = !isVector && this.#loadVector(accessor, input, `${four}_across`, block, type);
    const matrix = across
      ? `transpose(mat4x4(${calls(`${four}_across`, accessor, wide)}))`
      : `mat4x4(${calls(four, accessor, block)})`;
    this.#define(`fn ${four}x4(${declare(accessor)}) -> mat4x4<${type}>`, matrix);
  }

  /**
   * Four neighbours in memory, if a parameter advances along such; what lies outside counts as
   * outside altogether.
   */
  #loadVector(load: Load, input: number, name: string, along: number, type: string): boolean {
    const body = new FunctionBody();
    const four = this.#vector(load, input, along, body, (step, place) => {
      const { dtype } = this.#steps[step];
      const { word, wgsl } = DTYPES[dtype];
      const words = body.bind(`${this.bindings.read(this.#key(step), dtype)}[${place}]`);
      return converted(words, `vec4<${word}>`, `vec4<${wgsl}>`);
    });
    if (four === null) return false;
    const vector = `vec4<${type}>`;
    const { dtype } = this.#steps[this.#inputStep(input)];
    const value = converted(four, `vec4<${wgslType(dtype)}>`, vector);
    const head = `fn ${name}(${declare(load)}) -> ${vector}`;
    this.#define(head, guarded(load, vector, value), body);
    return true;
  }

  /**
   * The expression of four neighbours along a parameter, made of vectors in memory that `read`
   * gives, by the number of the vector; null where neighbours do not lie in whole vectors.
   */
  #vector(
    load: Load,
    input: number,
    along: number,
    body: FunctionBody,
    read: (step: number, place: string) => string,
  ): string | null {
    const { extents } = load;
    if (extents[along] % 4 !== 0) return null;
    const visit = (i: number, at: Position): string | null => {
      const step = this.#steps[i];
      const form = step.op?.form;
      if (!this.schedule.stored.has(i)) {
        const load = (input: number, to: Position) => visit(step.inputs[input], to);
        const vector = (value: string) => `vec4<${wgslType(step.dtype)}>(${value})`;
        return form?.kind === "map"
          ? writeMoved(form, this.#context(i, at, null), load, vector)
          : null;
      }
      const place = is(step.dtype, "number") ? writeQuarter(body, at.place) : null;
      return place && read(i, place);
    };
    const at = Position.four(body, extents, parameterNames(load), along);
    const i = this.#inputStep(input);
    return visit(i, at.reshape(this.#steps[i].shape));
  }

  /** Says which buffers this part would have as four-wide vectors. */
  markWide(): void {
    this.#stage.loads.forEach((load, input) => {
      for (const along of [load.wide, load.block]) {
        if (along === undefined) continue;
        const found: number[] = [];
        const read = (step: number) => `${found.push(step)}u`;
        if (this.#vector(load, input, along, new FunctionBody(), read) === null) continue;
        for (const step of found) this.bindings.markWide(this.#key(step));
      }
    });
    if (this.#storesFours()) {
      for (const key of this.job.writes) this.bindings.markWide(key);
    }
  }

  /** Whether all that is stored may be stored by fours. */
  #storesFours(): boolean {
    const [{ wide, extents }] = this.#stage.results;
    const isWhole = wide === extents.length - 1 && extents[wide] % 4 === 0;
    const isWide = (step: number) =>
      is(this.#steps[step].dtype, "number") && !this.schedule.scattered.has(step);
    return isWhole && this.job.group.outputs.every(isWide);
  }

  /** Writes how each result is stored: not at all where nobody needs it. */
  #storeAll(): void {
    const { anchors } = this.job.group;
    const types = resultTypes(this.schedule.program, this.#steps[anchors[0]]);
    for (const [k, accessor] of this.#stage.results.entries()) {
      this.#anchor = anchors.find((i) => (this.#steps[i].result ?? 0) === k);
      this.#store(accessor, accumulator(types[k].dtype));
    }
  }

  #store(accessor: Accessor, type: string): void {
    const name = `store_${accessor.name}`;
    const body = new FunctionBody();
    if (this.#anchor !== undefined) {
      const at = Position.at(body, accessor.extents, parameterNames(accessor));
      this.#storeResults(at, body, "v", beyond(accessor));
    }
    this.#define(`fn ${name}(${declare(accessor)}, v: ${type})`, undefined, body);
    if (accessor.wide === undefined) return;
    const four = this.#storeWide(accessor, accessor.wide);
    this.#define(`fn ${name}4(${declare(accessor)}, v: vec4<${type}>)`, undefined, four);
  }

  #storeWide(accessor: Accessor, wide: number): FunctionBody {
    const { extents } = accessor;
    const body = new FunctionBody();
    const position = (lane: number) => {
      const places = shifted(accessor, wide, lane).map((place) => body.bind(place));
      return Position.at(body, extents, places);
    };
    if (this.#storesFours()) {
      const lanes = LANES.map((lane) =>
        this.#results(position(lane), `v[${lane}]`).map(({ value }) => body.bind(value)),
      );
      const at = position(0).linear;
      leave(body, beyond(accessor));
      this.job.group.outputs.forEach((step, r) => {
        const { dtype } = this.#steps[step];
        const values = lanes.map((values) => values[r]).join(", ");
        const buffer = this.bindings.write(this.#key(step), dtype);
        body.line(`${buffer}[${at} >> 2u] = vec4<${DTYPES[dtype].word}>(${values});`);
      });
    } else {
      for (const lane of LANES) {
        body.line(`store_y(${shifted(accessor, wide, lane).join(", ")}, v[${lane}]);`);
      }
    }
    return body;
  }
}

/** The names of an accessor's parameters. */
function parameterNames({ extents }: Accessor): string[] {
  return extents.map((_, axis) => `p${axis}`);
}

/** Declares an accessor's parameters. */
function declare(accessor: Accessor): string {
  return parameterNames(accessor)
    .map((name) => `${name}: u32`)
    .join(", ");
}

/** An accessor's arguments for one lane of four along a parameter. */
function shifted(accessor: Accessor, wide: number, lane: number): string[] {
  return parameterNames(accessor).map((name, axis) =>
    axis === wide && lane > 0 ? `${name} + ${lane}u` : name,
  );
}

/** Calls of a function of an accessor's arguments, one for each lane along a parameter. */
function calls(f: string, accessor: Load, wide: number): string {
  return LANES.map((lane) => `${f}(${shifted(accessor, wide, lane).join(", ")})`).join(", ");
}

/** What is loaded, or what stands for it outside: chosen, for a branch may cost more than a load. */
function guarded(accessor: Load, type: string, value: string): string {
  const test = beyond(accessor);
  return test ? `select(${value}, ${type}(${accessor.outside ?? 0}), ${test})` : value;
}

/** Leaves a function that has stored nothing yet, for what has been computed is of no use there. */
function leave(body: FunctionBody, test: string): void {
  if (test) body.line(`if (${test}) { return; }`);
}

/** The test of whether a kernel has left what an accessor covers; empty where it cannot. */
function beyond(accessor: Accessor): string {
  const { ragged, extents } = accessor;
  const tests = parameterNames(accessor).map(
    (name, axis) => ragged?.[axis] && `(${name} >= ${extents[axis]}u)`,
  );
  return tests.filter(Boolean).join(" | ");
}
