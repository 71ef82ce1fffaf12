import { DTYPES, type DType } from "../core/dtype.ts";
import type { KernelContext, KernelForm, Stage } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { reduceDirectShader, reduceShader } from "./shaders.ts";

/** The host's functions for `reduce.wgsl`. */
export interface Monoid {
  /** WGSL of the neutral element of the dtype in which elements are combined. */
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
export function reduceForm(reduction: Monoid): KernelForm<unknown> {
  return {
    kind: "kernel",
    prologueCost: 64,
    stages: (context) => reduceStages(reduction, context),
  };
}

function reduceStages(reduction: Monoid, context: KernelContext<unknown>): Stage[] {
  const { inputs, traits } = context;
  const [{ shape, dtype }] = inputs;
  const [rows, length] = shape;
  const hasTrees = traits.workgroupMemory && (length > CHUNK || rows < 64);
  const stages: Stage[] = [];
  let left = length;
  do {
    const isTree = hasTrees && left <= TREE_LENGTH;
    const chunk = isTree ? left : Math.min(CHUNK, Math.max(1, left));
    const chunks = isTree ? 1 : Math.max(1, Math.ceil(left / chunk));
    const treeThreads = left <= SHORT ? FEW_THREADS : THREADS;
    const threads = isTree ? treeThreads : traits.threads;
    stages.push({
      shader: isTree ? reduceShader : reduceDirectShader,
      type: dtype,
      constants: { ROWS: rows, LENGTH: left, CHUNK: chunk, CHUNKS: chunks },
      functions: functions(reduction, dtype),
      libraries: reduction.libraries,
      loads: [
        {
          name: "x",
          input: stages.length === 0 ? 0 : -1,
          extents: [rows, left],
          ragged: [false, isTree || chunk * chunks !== left],
          outside: "identity()",
        },
      ],
      store: { extents: [rows * chunks] },
      workgroups: isTree ? rows : Math.ceil((rows * chunks) / threads),
      threads,
      memory: isTree ? 4 * threads : 0,
    });
    left = chunks;
  } while (left > 1);
  return stages;
}

function functions(reduction: Monoid, dtype: DType): string {
  const { accumulate } = DTYPES[dtype];
  return [
    `fn identity() -> Acc { return ${reduction.identity(accumulate)}; }`,
    `fn combine(a: Acc, b: Acc) -> Acc { return ${reduction.combine(accumulate)}; }`,
    "fn finish(v: Acc) -> Acc { return v; }",
  ].join("\n");
}
