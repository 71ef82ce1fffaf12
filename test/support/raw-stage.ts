/** Runs a kernel as its value says, on plain buffers: accessors index them and do nothing else. */
import { sizeOf, stridesOf } from "../../src/core/shape.ts";
import type { Accessor, Load, Stage } from "../../src/forms/kernel.ts";
import { wgslType } from "../../src/forms/wgsl.ts";
import { bindings, foldGrid, type Numbers, prelude, runKernel } from "./raw-kernel.ts";

const LANES = [0, 1, 2, 3];
const KINDS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };

/** What a run of a stage may have beside its inputs. */
export interface StageOptions {
  /** What is stored in place of a value `v`, as a fused kernel has it. */
  epilogue?: string;
  /** Which of the results is stored; the first one when left out. */
  result?: number;
  /** Workgroups in a dimension of the grid. */
  limit?: number;
}

/** All that stands in front of a stage's file with the entry point. */
export function stagePrelude(
  stage: Stage,
  { epilogue = "v", result = 0 }: StageOptions = {},
): string {
  const { kernel, loads, results, constants, libraries, functions } = stage;
  const typeOf = ({ dtype = stage.type }: Accessor) => wgslType(dtype);
  const y = results[result];
  return [
    kernel.subgroups ? `enable ${kernel.subgroups};` : "",
    prelude(constants, wgslType(stage.type)),
    bindings(typeOf(y), ...loads.map((load) => [buffer(load), typeOf(load)] as const)),
    ...new Set(libraries.map(({ source }) => source)),
    ...functions,
    ...loads.map((load) => loadFunctions(load, typeOf(load))),
    storeFunctions(y, typeOf(y), epilogue),
    ...results.map((other) =>
      other === y ? "" : `fn store_${other.name}(${parameters(other)}, v: ${typeOf(other)}) {}`,
    ),
    ...kernel.files.slice(0, -1).map(({ source }) => source),
  ].join("\n");
}

/** Runs a stage and gives its result. */
export function runStage(
  device: GPUDevice,
  stage: Stage,
  inputs: readonly Numbers[],
  options: StageOptions = {},
): Promise<Numbers> {
  const { files } = stage.kernel;
  const { dtype = stage.type, extents } = stage.results[options.result ?? 0];
  return runKernel(device, {
    prelude: stagePrelude(stage, options),
    source: files[files.length - 1].source,
    output: new KINDS[dtype as keyof typeof KINDS](sizeOf(extents)),
    inputs,
    workgroups: foldGrid(stage.workgroups, options.limit),
  });
}

const buffer = ({ name }: Accessor) => `${name}_values`;
const names = ({ extents }: Accessor) => extents.map((_, axis) => `p${axis}`);
const parameters = (accessor: Accessor) =>
  names(accessor)
    .map((name) => `${name}: u32`)
    .join(", ");

function place({ extents }: Accessor): string {
  const strides = stridesOf(extents);
  return strides.map((stride, axis) => `p${axis} * ${stride}u`).join(" + ");
}

/** Whether a kernel is outside, where it says that it may be. */
function outside({ extents, ragged }: Accessor): string {
  const tests = extents.flatMap((n, axis) => (ragged?.[axis] ? `(p${axis} >= ${n}u)` : []));
  return tests.join(" | ") || "false";
}

/** Calls of a function, one for each lane along a parameter. */
function calls(name: string, accessor: Accessor, along: number): string {
  const lane = (i: number) =>
    names(accessor).map((p, axis) => (axis === along ? `${p} + ${i}u` : p));
  return LANES.map((i) => `${name}(${lane(i).join(", ")})`).join(", ");
}

function loadFunctions(load: Load, type: string): string {
  const { name, wide, block, rows: write = calls } = load;
  const element = `${buffer(load)}[${place(load)}]`;
  // Guards combine with |: || makes branches, which take seconds to compile on a software adapter.
  const value = `select(${element}, ${type}(${load.outside ?? 0}), ${outside(load)})`;
  const lines = [`fn load_${name}(${parameters(load)}) -> ${type} { return ${value}; }`];
  if (wide === undefined) return lines[0];
  const four = calls(`load_${name}`, load, wide);
  lines.push(`fn load_${name}4(${parameters(load)}) -> vec4<${type}> { return vec4(${four}); }`);
  if (block !== undefined) {
    const rows = `mat4x4(${write(`load_${name}4`, load, block)})`;
    const head = `fn load_${name}4x4(${parameters(load)}${load.rows ? ", lane: u32" : ""})`;
    lines.push(`${head} -> mat4x4<${type}> { return ${rows}; }`);
  }
  return lines.join("\n");
}

function storeFunctions(y: Accessor, type: string, epilogue: string): string {
  const store = `fn store_${y.name}(${parameters(y)}, v: ${type}) {
  if (!(${outside(y)})) { y[${place(y)}] = ${epilogue}; }
}`;
  if (y.wide === undefined) return store;
  const lane = (i: number) => names(y).map((p, axis) => (axis === y.wide ? `${p} + ${i}u` : p));
  const stores = LANES.map((i) => `store_${y.name}(${lane(i).join(", ")}, v[${i}]);`);
  return `${store}
fn store_${y.name}4(${parameters(y)}, v: vec4<${type}>) { ${stores.join(" ")} }`;
}
