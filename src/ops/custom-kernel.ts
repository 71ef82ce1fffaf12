import {
  checkCounts,
  checkEach,
  checkOptions,
  checkSteps,
  describeValue,
  isInteger,
} from "../core/check.ts";
import { DTYPES, type NumericArray } from "../core/dtype.ts";
import { GradusError, KernelError } from "../core/errors.ts";
import { checkShape, type Shape, sizeOf } from "../core/shape.ts";
import { isContiguous, type Strided } from "../core/strided.ts";
import { copyStrided } from "../core/strided-loops.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Accessor, Constants, Family, Kernel, Problem } from "../forms/kernel.ts";
import { defineOp, NO_ATTRIBUTES } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import {
  type CustomInput,
  type CustomParts,
  checkCall,
  checkCustom,
  checkedVjp,
  type ForEachInput,
  isFunction,
  lacks,
  resultDType,
  runCpu,
} from "./custom-inputs.ts";

/** Elements of a tensor, row-major. */
export interface CustomArray {
  readonly data: NumericArray;
  readonly shape: Shape;
}

/** An op of one's own with a kernel. */
export interface CustomKernel<Inputs extends readonly string[]> extends CustomParts<Inputs> {
  /** A function `invocation(i: u32)`, or `group(k: u32, local: u32)`, and what it calls. */
  wgsl: string;
  /** The same on arrays: writes all of the result's. */
  cpu: (inputs: ForEachInput<Inputs, CustomArray>, y: CustomArray) => void;
  /** Gives the result's shape from the inputs'. */
  shape: (...shapes: ForEachInput<Inputs, Shape>) => Shape;
  /** How many invocations, or workgroups, there are; as many as the result has elements when left out. */
  grid?: (...shapes: ForEachInput<Inputs, Shape>) => number;
  /** Whole numbers from 0 that the text has as constants, beside `x_0`, `x_1`, …, the lengths of each axis. */
  constants?: (...shapes: ForEachInput<Inputs, Shape>) => Record<string, number>;
  /** Invocations in a workgroup, `WORKGROUP` in the text; 64 when left out. */
  workgroupSize?: number;
  /** Bytes of its variables in workgroup memory; 0 when left out. */
  workgroupMemory?: number;
}

const KNOWN = {
  name: true,
  inputs: true,
  wgsl: true,
  cpu: true,
  result: true,
  file: true,
  shape: true,
  grid: true,
  constants: true,
  workgroupSize: true,
  workgroupMemory: true,
  vjp: true,
} as const;

/** Lengths of axes and other numbers, by the names that the text has for them. */
type CustomProblem = Problem & Constants;

/** How many kernels there are: parts of a dispatch are told apart by the names of their files. */
let made = 0;

/** Makes the function of an op with a kernel. */
export function customKernel(definition: CustomKernel<readonly string[]>) {
  checkOptions("customOp", definition, KNOWN);
  const declared = checkCustom(definition);
  const { name, shape, cpu, result = "f32" } = definition;
  checkCustomKernel(definition, declared);
  const kernel = kernelOf(definition, declared);
  const family: Family<CustomProblem> = {
    prologueCost: 4,
    rule: () => [[kernel.kind, {}]],
    kernels: [kernel],
  };
  const op = defineOp<Record<string, never>>({
    name,
    infer: (inputs) => ({
      shape: checkShape(name, shape(...inputs.map((x) => x.shape))),
      dtype: resultDType(result, inputs),
    }),
    cpu: (y, inputs) => {
      y.data.fill(0);
      const given: unknown = runCpu(name, () => cpu(inputs.map(arrayOf), y));
      if (given === undefined) return;
      throw new KernelError(
        `${name}: cpu returned ${describeValue(given)}; expected it to write into y.data`,
      );
    },
    throws: true, // the user's function may
    form: {
      kind: "kernel",
      batching: null,
      family,
      problem: ({ inputs, y }) => customProblem(definition, declared, inputs, y),
    },
    vjp: checkedVjp(definition, declared),
  });
  return (...given: unknown[]): Tensor =>
    apply(op, checkCall(name, declared, given), NO_ATTRIBUTES);
}

function checkCustomKernel(
  definition: CustomKernel<readonly string[]>,
  declared: readonly CustomInput[],
): void {
  const { name, wgsl, cpu, shape, grid, constants, result = "f32" } = definition;
  const { workgroupSize = 64, workgroupMemory = 0 } = definition;
  const op = `customOp: ${name}`;
  checkEach(op, { cpu, shape }, isFunction, "a function");
  const isAbsentOr = (x: unknown) => x === undefined || isFunction(x);
  checkEach(op, { grid, constants }, isAbsentOr, "a function");
  checkSteps(op, { workgroupSize });
  checkCounts(op, { workgroupMemory });
  if (declared.some((input) => input.name === "y")) {
    throw new GradusError(`${op}: an input is y; expected another name, for y is the result`);
  }
  if (DTYPES[result].perWord > 1) throw new GradusError(`${op}: result ${result}; expected f32`);
  if (!entryOf(wgsl)) {
    throw lacks(
      op,
      wgsl,
      "function invocation",
      "fn invocation(i: u32) or fn group(k: u32, local: u32)",
    );
  }
  if (!/\bstore_y\s*\(/.test(wgsl)) throw lacks(op, wgsl, "call of store_y", "store_y(…, value)");
  if (/\bvar\s*<\s*workgroup\s*>/.test(wgsl) && workgroupMemory === 0) {
    throw new GradusError(
      `${op}: workgroupMemory 0 beside var<workgroup>; expected the bytes of these variables`,
    );
  }
}

/** Which of the two functions a text has. */
function entryOf(wgsl: string): "invocation" | "group" | undefined {
  return /\bfn\s+(invocation|group)\s*\(/.exec(wgsl)?.[1] as "invocation" | undefined;
}

function kernelOf(
  definition: CustomKernel<readonly string[]>,
  declared: readonly CustomInput[],
): Kernel<CustomProblem> {
  const { name, wgsl, workgroupSize = 64, workgroupMemory = 0, result = "f32" } = definition;
  const { file = `${name}.wgsl` } = definition;
  const isAlone = entryOf(wgsl) === "invocation";
  return {
    kind: workgroupMemory > 0 ? "workgroup" : "direct",
    files: [
      { name: file, source: `${outdented(wgsl)}\n` },
      { name: `${file} (kernel ${made++})`, source: isAlone ? EACH_INVOCATION : EACH_GROUP },
    ],
    candidates: [{ WORKGROUP: workgroupSize }],
    layout: (problem) => ({
      loads: declared.map((input) => accessorOf(problem, input.name)),
      results: [{ ...accessorOf(problem, "y"), dtype: result }],
      workgroups: Math.ceil(problem.GRID / (isAlone ? workgroupSize : 1)),
      memory: workgroupMemory,
    }),
  };
}

/** Reads zeros and stores nothing outside of its extents. */
function accessorOf(problem: CustomProblem, name: string): Accessor {
  const extents: number[] = [];
  while (`${name}_${extents.length}` in problem) extents.push(problem[`${name}_${extents.length}`]);
  return { name, extents, ragged: extents.map(() => true) };
}

function customProblem(
  { name, grid, constants }: CustomKernel<readonly string[]>,
  declared: readonly CustomInput[],
  inputs: readonly TensorType[],
  y: TensorType,
): CustomProblem {
  const numbers: Record<string, number> = {};
  const all = [
    ...declared.map((input, i) => [input.name, inputs[i].shape] as const),
    ["y", y.shape] as const,
  ];
  for (const [own, shape] of all) {
    for (const [axis, n] of shape.entries()) numbers[`${own}_${axis}`] = n;
  }
  const shapes = inputs.map(({ shape }) => shape);
  const more = constants?.(...shapes) ?? {};
  checkEach(
    `${name}: constant`,
    more,
    (n) => isInteger(n, 0, 2 ** 32 - 1),
    "an integer from 0 that u32 holds",
  );
  const GRID = grid?.(...shapes) ?? sizeOf(y.shape);
  checkCounts(name, { grid: GRID });
  return { ...numbers, ...more, GRID, dtype: y.dtype } as unknown as CustomProblem;
}

/** A view's elements in one piece. */
function arrayOf(x: Strided): CustomArray {
  const { data, shape, offset } = x;
  const size = sizeOf(shape);
  if (isContiguous(x)) return { data: data.subarray(offset, offset + size), shape };
  const copy = data.slice(0, 0);
  const own = new (copy.constructor as new (size: number) => NumericArray)(size);
  copyStrided(x, own);
  return { data: own, shape };
}

/** A text whose declarations begin their lines, by which they are found. */
function outdented(wgsl: string): string {
  const indents = wgsl
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => line.search(/\S/));
  const least = Math.min(...indents);
  return wgsl.replace(new RegExp(`^\\s{${least}}`, "gm"), "");
}

const MAIN = `
@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = linear_workgroup(id, count);
`;

const EACH_INVOCATION = `${MAIN}  let i = k * WORKGROUP + local;
  if (i < GRID) {
    invocation(i);
  }
}
`;

const EACH_GROUP = `${MAIN}  if (k < GRID) {
    group(k, local);
  }
}
`;
