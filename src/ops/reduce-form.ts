import type { DType } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { KernelContext, KernelForm, ShaderFile, Stage } from "../graph/op.ts";
import { wgslType } from "../graph/wgsl.ts";
import { reduceDirectShader, reduceShader } from "./shaders.ts";

/** The host's functions for `reduce.wgsl`. */
export interface Reduction {
  /** WGSL of the neutral element. */
  identity(dtype: DType): string;
  /** WGSL that joins `a` and `b`. */
  combine(dtype: DType): string;
  readonly libraries?: readonly ShaderFile[];
}

const THREADS = 256;
/** Rows up to this length are combined by fewer invocations, which then have four elements or more. */
const SHORT = 1024;
const FEW_THREADS = 64;
/** What one invocation combines alone; short, so that rounding errors stay small. */
const CHUNK = 128;
/** Rows up to this length one workgroup combines; longer ones are cut into chunks first. */
const TREE_LENGTH = 8192;

/** The kernel form of a reduction of `[rows, length]` to `[rows]`. */
export function reduceForm(reduction: Reduction): KernelForm<unknown> {
  return {
    kind: "kernel",
    prologueCost: 64,
    flops: ([x]) => sizeOf(x.shape),
    stages: (context) => reduceStages(reduction, context),
  };
}

function reduceStages(reduction: Reduction, context: KernelContext<unknown>): Stage[] {
  const [rows, length] = context.inputs[0].shape;
  const { dtype } = context.inputs[0];
  const short = length <= CHUNK && rows >= 64;
  const tree = context.profile.workgroupMemory && !short;
  const stages: Stage[] = [];
  let left = length;
  do {
    const input = stages.length === 0 ? 0 : -1;
    if (tree && left <= TREE_LENGTH) {
      stages.push(treeStage(reduction, dtype, input, rows, left));
      left = 1;
    } else {
      const { threads } = context.profile;
      stages.push(chunkStage(reduction, dtype, input, rows, left, threads));
      left = Math.ceil(left / CHUNK);
    }
  } while (left > 1);
  return stages;
}

function functions(reduction: Reduction, dtype: DType): string {
  const type = wgslType(dtype);
  return [
    `fn identity() -> ${type} { return ${reduction.identity(dtype)}; }`,
    `fn combine(a: ${type}, b: ${type}) -> ${type} { return ${reduction.combine(dtype)}; }`,
    `fn finish(v: ${type}) -> ${type} { return v; }`,
  ].join("\n");
}

function treeStage(
  reduction: Reduction,
  type: DType,
  input: number,
  rows: number,
  length: number,
): Stage {
  const threads = length <= SHORT ? FEW_THREADS : THREADS;
  return {
    shader: reduceShader,
    type,
    constants: { ROWS: rows, LENGTH: length, WORKGROUP: threads },
    functions: functions(reduction, type),
    libraries: reduction.libraries,
    loads: [load(input, rows, length, true)],
    store: { name: "y", input: 0, extents: [rows] },
    workgroups: rows,
    threads,
    memory: 4 * threads,
  };
}

function load(input: number, rows: number, length: number, ragged: boolean) {
  return {
    name: "x",
    input,
    extents: [rows, length],
    ragged: [false, ragged],
    outside: "identity()",
  };
}

function chunkStage(
  reduction: Reduction,
  type: DType,
  input: number,
  rows: number,
  length: number,
  threads: number,
): Stage {
  const chunk = Math.min(CHUNK, Math.max(1, length));
  const chunks = Math.max(1, Math.ceil(length / chunk));
  const constants = { ROWS: rows, LENGTH: length, CHUNK: chunk, CHUNKS: chunks };
  return {
    shader: reduceDirectShader,
    type,
    constants: { ...constants, WORKGROUP: threads },
    functions: functions(reduction, type),
    libraries: reduction.libraries,
    loads: [load(input, rows, length, chunk * chunks !== length)],
    store: { name: "y", input: 0, extents: [rows * chunks] },
    workgroups: Math.ceil((rows * chunks) / threads),
    threads,
  };
}
