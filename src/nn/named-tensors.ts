import { MAKE_TENSOR } from "../core/advice.ts";
import { checkKinds } from "../core/check.ts";
import { Tensor } from "../graph/tensor.ts";

/** Throws a `GradusError`, which says its name, for the first that is neither a tensor nor left out. */
export function checkNamedTensors(op: string, given: Readonly<Record<string, unknown>>): void {
  const holds = (x: unknown) => x === undefined || x instanceof Tensor;
  checkKinds(op, given, holds, `a tensor${MAKE_TENSOR}`);
}
