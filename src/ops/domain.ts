import { type DType, dtypesOf, expectDType, is, type Trait } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";

/** Throws a `DTypeError` unless a dtype is in an op's domain. */
export function checkDomain(op: string, dtype: DType, domain: Trait): void {
  if (is(dtype, domain)) return;
  const advice = is(dtype, "number") ? "" : ". cast it first";
  throw new DTypeError(`${op}: dtype ${dtype}; expected ${dtypesOf(domain).join(", ")}${advice}`);
}

/** Throws unless the counter of steps, from which a graph draws, is a scalar of words. */
export function checkStep(op: string, step: Tensor): void {
  checkTensors(op, [step]);
  expectDType(`${op}: step has dtype`, step.dtype, "counter");
  if (step.rank === 0) return;
  throw new ShapeError(`${op}: step has shape ${formatShape(step.shape)}; expected a scalar`);
}
