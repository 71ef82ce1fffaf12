import { CLIP, NO_PARAMETERS, OWN_GRADIENTS, PARAMETERS } from "../core/advice.ts";
import { checkEach } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { differentiate } from "../graph/grad.ts";
import type { RowGradients } from "../graph/row-gradients.ts";
import { Parameter } from "../graph/state.ts";
import { checkTensors, Tensor } from "../graph/tensor.ts";

/** Lists parameters; throws a `GradusError` for anything else, and as `checkParameters` does. */
export function parametersOf(
  op: string,
  given: readonly Parameter[] | ReadonlyMap<string, Parameter>,
): Parameter[] {
  const isList = (x: unknown) => {
    return typeof x === "object" && typeof (x as typeof given | null)?.values === "function";
  };
  checkEach(op, { "parameters are": given }, isList, `an array or a Map${PARAMETERS}`);
  const parameters: Parameter[] = [...given.values()];
  const isParameter = (x: unknown) => x instanceof Parameter;
  for (const [i, p] of parameters.entries()) {
    checkEach(op, { [`parameter ${i} is`]: p }, isParameter, "a Parameter");
  }
  checkParameters(op, parameters);
  return parameters;
}

/** Throws a `GradusError` for no parameters, one given twice, or one of whole numbers. */
export function checkParameters(op: string, parameters: readonly Parameter[]): void {
  if (parameters.length === 0) {
    throw new GradusError(`${op}: no parameters; expected at least one${NO_PARAMETERS}`);
  }
  const repeated = parameters.find((p, i) => parameters.indexOf(p) !== i);
  if (repeated) {
    throw new GradusError(`${op}: "${repeated.name}" is given twice; expected each once`);
  }
  for (const { name, dtype } of parameters) {
    expectDType(`${op}: "${name}" has dtype`, dtype, "float");
  }
}

/** The gradients of a loss with respect to an optimizer's parameters. */
export function slopesOf(op: string, loss: Tensor, parameters: readonly Parameter[]): Tensor[] {
  const isTensor = (x: unknown) => x instanceof Tensor;
  checkEach(op, { loss }, isTensor, `a tensor, a scalar${OWN_GRADIENTS}`);
  return differentiate(`${op}: loss`, loss, parameters);
}

/** Throws a `GradusError` unless `clip` is a function. */
export function checkClip(op: string, clip: unknown): void {
  const isFunction = (value: unknown) => typeof value === "function";
  checkEach(op, { clip }, isFunction, `a function${CLIP}`);
}

/** Throws a `GradusError` unless gradients are an array of tensors. */
export function checkGradientList(op: string, gradients: readonly unknown[]): void {
  checkEach(op, { gradients }, Array.isArray, "an array of tensors");
  checkTensors(op, gradients);
}

/** What is done with gradients of which some are zero but for some rows; none where all are whole. */
export function rowRules(op: string, gradients: readonly Tensor[]): RowGradients | undefined {
  checkGradientList(op, gradients);
  return gradients.map(({ node }) => node.op?.rows).find(Boolean);
}

/** Throws a `GradusError` unless there is one gradient for each parameter. */
export function checkGradients(
  op: string,
  gradients: readonly Tensor[],
  parameters: readonly Parameter[],
): void {
  checkGradientList(op, gradients);
  if (gradients.length === parameters.length) return;
  throw new GradusError(
    `${op}: ${gradients.length} gradients; expected ${parameters.length}, one for each parameter`,
  );
}
