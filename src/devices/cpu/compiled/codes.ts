import { is } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import type { Program, Step } from "../../../engine/program.ts";
import type { KernelForm } from "../../../forms/kernel.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { products } from "../../../kernels/matmul.ts";
import { openedOf } from "./closed.ts";
import type { GroupCode, GroupContext } from "./group-code.ts";
import { pointwiseCode } from "./pointwise.ts";
import { productCode } from "./product-code.ts";

/** Writes the code of a group whose anchor is of some family of kernels. */
type WriteGroup = (context: GroupContext, group: Group) => GroupCode;

/** What there is code for, by families of kernels. */
const CODES: ReadonlyMap<unknown, WriteGroup> = /* @__PURE__ */ new Map([[products, productCode]]);

/** Whether a step has a compiled form. */
export function isCompiled({ steps }: Program, step: Step): boolean {
  const { op, inputs, dtype } = step;
  const types = inputs.map((input) => steps[input]);
  // All dtypes that GPUs have, there is code for.
  if (!op || ![dtype, ...types.map((x) => x.dtype)].every((one) => is(one, "gpu"))) return false;
  const { form, throws } = op;
  if (throws) return false;
  if (form.kind === "pointwise" || form.kind === "map") return true;
  return form.kind === "kernel" && hasCode(form, step, types);
}

function hasCode(
  { family }: KernelForm<Attributes>,
  { shape, dtype }: Step,
  types: readonly Step[],
) {
  const isWhole = [shape, ...types.map((x) => x.shape)].every((one) => sizeOf(one) > 0);
  return CODES.has(family) && is(dtype, "float") && isWhole;
}

/** The code of a group, if there is one for it. */
export function codeOf(context: GroupContext, group: Group): GroupCode | null {
  const { steps } = context.schedule.program;
  const [anchor] = group.anchors;
  if (anchor === undefined) {
    const [output] = group.outputs;
    return is(steps[output].dtype, "gpu") ? pointwiseCode(context, group) : null;
  }
  const op = steps[anchor].op as Op;
  if (openedOf(op)) return null;
  const write = CODES.get((op.form as KernelForm<Attributes>).family) as WriteGroup;
  return write(context, group);
}
