import { is } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import type { Program, Step } from "../../../engine/program.ts";
import type { Computation, KernelForm, RareComputation } from "../../../forms/kernel.ts";
import type { RareCode } from "../../../forms/rare.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { openedOf } from "./closed.ts";
import type { GroupCode, GroupContext } from "./group-code.ts";
import { GroupWriter } from "./group-writer.ts";
import { addFunctions, type RareFunctions } from "./lane-scalars.ts";
import { hasLanes } from "./lanes.ts";
import { pointwiseCode } from "./pointwise.ts";
import { type Blocking, productCode, useBlocking } from "./product-code.ts";
import { forgetCodes } from "./program-code.ts";
import { reductionCode, softmaxCode } from "./row-codes.ts";

/** Writes the code of a group whose anchor is of some family of kernels. */
export type WriteGroup = (group: GroupWriter) => GroupCode;

/** The code of what families of kernels compute; that of rare ones only where it has been added. */
const CODES: Record<Exclude<Computation, RareComputation>, WriteGroup> &
  Partial<Record<RareComputation, WriteGroup>> = {
  product: productCode,
  reduction: reductionCode,
  softmax: softmaxCode,
};

/** What a script of code that few apps want adds. */
export interface RareCodes {
  readonly kernels?: Readonly<Partial<Record<RareComputation, WriteGroup>>>;
  readonly functions?: RareFunctions;
  readonly blocking?: Blocking;
}

/** The scripts whose code has been added. */
const added = new Set<RareCode>();

/** Adds what a script has. */
export function addCodes(code: RareCode, { kernels, functions, blocking }: RareCodes): void {
  if (added.has(code)) return;
  added.add(code);
  Object.assign(CODES, kernels);
  if (functions) addFunctions(functions);
  if (blocking) useBlocking(blocking);
  // Programs are closed in another way from now on.
  forgetCodes();
}

/** Those that are of floats alone. */
const OF_FLOATS: readonly Computation[] = ["product", "softmax", "moments", "steps"];

/** Whether a step has a compiled form. */
export function isCompiled({ steps }: Program, step: Step): boolean {
  const { op, inputs, dtype } = step;
  const types = inputs.map((input) => steps[input]);
  if (!op || ![dtype, ...types.map((x) => x.dtype)].every(hasLanes)) return false;
  const { form, throws } = op;
  if (throws && !(form.kind === "pointwise" && form.allows)) return false;
  if (form.kind === "map") return true;
  const { libraries = [] } = form;
  if (libraries.some(({ isRare }) => isRare) && !added.has("functions")) return false;
  return form.kind === "pointwise" || hasCode(form, step, types);
}

function hasCode({ family }: KernelForm<Attributes>, { shape }: Step, types: readonly Step[]) {
  const { computes } = family;
  if (
    !computes ||
    !CODES[computes] ||
    [shape, ...types.map((x) => x.shape)].some((one) => sizeOf(one) === 0)
  ) {
    return false;
  }
  return is(types[0].dtype, OF_FLOATS.includes(computes) ? "float" : "number");
}

/** Whether a step's code reads only what is stored, or its specification may have to read it again. */
export function readsStored({ op }: Step): boolean {
  if (!op || op.throws) return op !== null;
  return op.form.kind === "kernel" && op.form.family.computes === "product";
}

/** The code of a group, if there is one for it. */
export function codeOf(context: GroupContext, group: Group): GroupCode | null {
  const { steps } = context.schedule.program;
  const writer = new GroupWriter(context, group);
  const [anchor] = group.anchors;
  if (anchor === undefined) {
    const [output] = group.outputs;
    return hasLanes(steps[output].dtype) ? pointwiseCode(writer) : null;
  }
  const op = steps[anchor].op as Op;
  if (openedOf(op)) return null;
  const { computes } = (op.form as KernelForm<Attributes>).family;
  return (CODES[computes as Computation] as WriteGroup)(writer);
}
