import { is } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import type { Program, Step } from "../../../engine/program.ts";
import type { Computation, KernelForm, RareComputation } from "../../../forms/kernel.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { openedOf } from "./closed.ts";
import type { GroupCode, GroupContext } from "./group-code.ts";
import { GroupWriter } from "./group-writer.ts";
import { hasLanes } from "./lanes.ts";
import { pointwiseCode } from "./pointwise.ts";
import { productCode } from "./product-code.ts";
import { argReduceCode, momentsCode, reductionCode, softmaxCode } from "./row-codes.ts";
import { scatterCode } from "./scatter.ts";

/** Writes the code of a group whose anchor is of some family of kernels. */
export type WriteGroup = (group: GroupWriter) => GroupCode;

/** The code of what families of kernels compute; that of rare ones only where it has been added. */
const CODES: Record<Exclude<Computation, RareComputation>, WriteGroup> &
  Partial<Record<RareComputation, WriteGroup>> = {
  product: productCode,
  reduction: reductionCode,
  softmax: softmaxCode,
  place: argReduceCode,
  moments: momentsCode,
  rowSums: scatterCode,
};

/** Code of rare kernels, and what is quicker in single elements. */
export type RareCodes = Readonly<Record<RareComputation | "rowSums", WriteGroup>>;

/** Adds code for rare kernels. */
export function addCodes(codes: RareCodes): void {
  Object.assign(CODES, codes);
}

/** Those that are of whole numbers too. */
const OF_NUMBERS: readonly Computation[] = [
  "reduction",
  "place",
  "scan",
  "sort",
  "search",
  "rowSums",
  "rowPlaces",
];

/** Whether a step has a compiled form. */
export function isCompiled({ steps }: Program, step: Step): boolean {
  const { op, inputs, dtype } = step;
  const types = inputs.map((input) => steps[input]);
  if (!op || ![dtype, ...types.map((x) => x.dtype)].every(hasLanes)) return false;
  const { form, throws } = op;
  if (throws && !(form.kind === "pointwise" && form.allows)) return false;
  if (form.kind === "pointwise" || form.kind === "map") return true;
  return form.kind === "kernel" && hasCode(form, step, types);
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
  return is(types[0].dtype, OF_NUMBERS.includes(computes) ? "number" : "float");
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
