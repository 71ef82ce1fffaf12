import { asIs } from "../../core/dtype.ts";
import { GradusError } from "../../core/errors.ts";
import { copyStrided, mapStrided } from "../../core/strided-loops.ts";
import type { TensorType } from "../../core/tensor-type.ts";
import { moveStrided } from "../../forms/strided-map.ts";
import type { Op } from "../../graph/op.ts";
import { loopForm } from "./loops.ts";

/** Names what computes in plain forms, for people. */
export const PLAIN_TYPESCRIPT = "plain TypeScript";

/** Computes the values of one result. */
export type PlainForm = NonNullable<Op["cpu"]>;

/**
 * An op's own form, behind a loop that does the same where there is one. It is for one task: views
 * that lie alike each time that it runs.
 */
export function fastest(op: Op, types: readonly TensorType[]): PlainForm {
  const form = formOf(op, types);
  const { loop } = op;
  if (!loop) return form;
  const runs = loopForm(loop);
  return (y, inputs, attributes) => {
    if (!runs(y, inputs)) form(y, inputs, attributes);
  };
}

/** An op's own form; that of one element runs over all of them. */
function formOf({ name, cpu, scalar, form }: Op, types: readonly TensorType[]): PlainForm {
  if (cpu) return cpu;
  if (form.kind === "map") {
    return (y, inputs, attributes) => moveStrided(form, types, attributes, y, inputs);
  }
  if (!scalar) throw new GradusError(`${name}: has no CPU form; expected one`);
  return (y, inputs, attributes) => {
    const f = scalar(types, attributes);
    if (f === asIs) copyStrided(inputs[0], y.data);
    else mapStrided(f, y.shape, inputs, y.data);
  };
}
