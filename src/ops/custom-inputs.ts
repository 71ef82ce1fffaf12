import { checkEach, checkWords, describeValue, didYouMean } from "../core/check.ts";
import { DTYPE_NAMES, type DType, dtypesOf, isFloat } from "../core/dtype.ts";
import { DTypeError, GradusError, KernelError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { OpDefinition } from "../graph/op.ts";
import { Tensor } from "../graph/tensor.ts";
import { numberLike } from "./scalar.ts";

/** Something for each input of an op. */
export type ForEachInput<Inputs extends readonly string[], T> = { readonly [K in keyof Inputs]: T };

/** What an op of one's own says whatever it is. */
export interface CustomParts<Inputs extends readonly string[]> {
  /** What messages and `explain` call it: a name as JavaScript and WGSL have them. */
  name: string;
  /** The names of its inputs in WGSL, with a dtype where that is not f32: `["x", "k: i32"]`. */
  inputs: Inputs;
  /** The result's dtype; f32 when left out. */
  result?: DType;
  /** What messages of the compiler call its text; `<name>.wgsl` when left out. */
  file?: string;
  /**
   * Gives the cotangent of each input, in its shape, null for zeros, from that of the result. Null says
   * that all are zeros; without it a gradient through the op is an error.
   */
  vjp?:
    | ((
        g: Tensor,
        y: Tensor,
        ...inputs: ForEachInput<Inputs, Tensor>
      ) => readonly (Tensor | null)[])
    | null;
}

/** An input as the definition of an op declares it. */
export interface CustomInput {
  readonly name: string;
  readonly dtype: DType;
}

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const FIRST_LINE = 40;

/** Checks what all definitions have, and gives the inputs. */
export function checkCustom(parts: CustomParts<readonly string[]>): CustomInput[] {
  const { name, inputs, wgsl, result = "f32", file = "", vjp } = parts as typeof parts & Texts;
  const isName = (x: unknown) => typeof x === "string" && NAME.test(x) && !/__/.test(x);
  checkEach("customOp", { name }, isName, "a name of letters and digits, such as softClip");
  const op = `customOp: ${name}`;
  const isText = (x: unknown) => typeof x === "string" && x.trim() !== "";
  checkEach(op, { wgsl }, isText, "a text of WGSL");
  checkEach(op, { file }, (x) => typeof x === "string", "a name");
  const isList = (x: unknown) => Array.isArray(x) && x.length > 0;
  checkEach(op, { inputs }, isList, 'a list of at least one name, such as ["x"]');
  if (vjp !== undefined && vjp !== null) checkEach(op, { vjp }, isFunction, "a function, or null");
  checkWords(op, { result }, dtypesOf("any").filter(isOnDevices));
  const found = inputs.map((input): CustomInput => {
    const [own, dtype = "f32", ...rest] = typeof input === "string" ? input.split(/\s*:\s*/) : [];
    if (!isName(own) || rest.length > 0) {
      throw new GradusError(
        `${op}: input ${describeValue(input)}; expected a name, or one with a dtype, such as "k: i32"`,
      );
    }
    checkWords(op, { [`dtype of ${own}`]: dtype }, DTYPE_NAMES.filter(isOnDevices));
    return { name: own, dtype: dtype as DType };
  });
  const names = found.map((input) => input.name);
  const twice = names.find((own, i) => names.indexOf(own) < i);
  if (twice) throw new GradusError(`${op}: two inputs are ${twice}; expected a name for each`);
  return found;
}

interface Texts {
  readonly wgsl: unknown;
}

/** Whether something is a function. */
export function isFunction(x: unknown): boolean {
  return typeof x === "function";
}

function isOnDevices(dtype: DType): boolean {
  return dtypesOf("gpu").includes(dtype);
}

/** Makes tensors of what an op was called with: a number becomes a scalar of its input's dtype. */
export function checkCall(
  op: string,
  declared: readonly CustomInput[],
  given: readonly unknown[],
): Tensor[] {
  const call = `${op}(${declared.map(({ name }) => name).join(", ")})`;
  if (given.length !== declared.length) {
    throw new GradusError(
      `${op}: ${given.length} inputs; expected ${declared.length}, as in ${call}`,
    );
  }
  const like = given.find((x) => x instanceof Tensor) as Tensor | undefined;
  if (!like) throw new DTypeError(`${op}: no tensor; expected at least one. Use tensor(value)`);
  const floats = given.filter((x): x is Tensor => x instanceof Tensor && isFloat(x.dtype));
  const float = floats[0]?.dtype ?? "f32";
  return declared.map(({ name, dtype }, i) => {
    const x = given[i];
    const own = isFloat(dtype) ? float : dtype;
    if (typeof x === "number") {
      return numberLike(op, { shape: [], dtype: own, device: like.device }, x);
    }
    // What is no tensor is found where the op is applied.
    if (!(x instanceof Tensor) || x.dtype === own) return x as Tensor;
    throw new DTypeError(`${op}: ${name} has dtype ${x.dtype}; expected ${own}. cast it`);
  });
}

/** The dtype of a result: float64 where floats among the inputs are. */
export function resultDType(result: DType, inputs: readonly TensorType[]): DType {
  return (isFloat(result) && inputs.find(({ dtype }) => isFloat(dtype))?.dtype) || result;
}

/** The gradient rule of a definition, with what it gives checked. */
export function checkedVjp(
  { name, vjp }: CustomParts<readonly string[]>,
  declared: readonly CustomInput[],
): OpDefinition<Record<string, never>>["vjp"] {
  if (vjp === null) return null;
  if (vjp === undefined) {
    return () => {
      throw new GradusError(
        `grad: ${name} has no gradient; expected one on the way to a target. ` +
          "Give customOp a vjp, or stop gradients by stopGradient",
      );
    };
  }
  return (g, { inputs, y }) => {
    const given: unknown = vjp(g, y, ...inputs);
    if (!Array.isArray(given) || given.length !== inputs.length) {
      throw new GradusError(
        `${name}: vjp gave ${Array.isArray(given) ? `${given.length} values` : describeValue(given)}; ` +
          `expected a list of ${inputs.length}, a tensor or null for each input`,
      );
    }
    for (const [i, term] of given.entries()) {
      if (term === null || isLike(term, inputs[i])) continue;
      const what =
        term instanceof Tensor ? `${term.dtype} ${formatShape(term.shape)}` : describeValue(term);
      const { dtype, shape } = inputs[i];
      throw new GradusError(
        `${name}: vjp gave ${what} for ${declared[i].name}; ` +
          `expected ${dtype} ${formatShape(shape)}, or null`,
      );
    }
    return given;
  };
}

function isLike(x: unknown, { shape, dtype }: Tensor): boolean {
  return x instanceof Tensor && x.dtype === dtype && sameShape(x.shape, shape);
}

/** Runs a function of the user's; what it throws is an error of the op's. */
export function runCpu<T>(op: string, cpu: () => T): T {
  try {
    return cpu();
  } catch (error) {
    const [line] = `${error}`.split("\n", 1);
    throw new KernelError(`${op}: cpu threw ${line}; expected a result`, { cause: error });
  }
}

/** Refuses a name that a text lacks, with the nearest that it has. */
export function lacks(op: string, wgsl: string, what: string, example: string): GradusError {
  const [line] = wgsl.trim().split("\n", 1);
  const declared = [...wgsl.matchAll(/\bfn\s+(\w+)/g)].map(([, name]) => name);
  return new GradusError(
    `${op}: wgsl has no ${what}, in "${line.slice(0, FIRST_LINE)}"; expected ${example}` +
      didYouMean(what.split(" ").at(-1) as string, declared),
  );
}
