import { GradusError } from "../core/errors.ts";
import type { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Options by name. */
type Numbers = Readonly<Record<string, number>>;

/** Throws a `GradusError` unless options are finite numbers from 0. */
export function checkNotNegative(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (x >= 0 && x < Infinity) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected a finite number from 0`);
  }
}

/** Throws a `GradusError` unless options are finite numbers above 0. */
export function checkPositive(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (x > 0 && x < Infinity) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected a finite number above 0`);
  }
}

/** Throws a `GradusError` unless the weights of averages' pasts lie in [0, 1). */
export function checkDecay(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (x >= 0 && x < 1) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected a number from 0 and below 1`);
  }
}

/** Throws a `GradusError` unless numbers of steps are integers from 1. */
export function checkSteps(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (Number.isSafeInteger(x) && x >= 1) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected an integer from 1`);
  }
}

/** Throws a `GradusError` for no parameters, or one given twice. */
export function checkParameters(parameters: readonly Parameter[]): void {
  if (parameters.length === 0) {
    throw new GradusError("optimizer: no parameters; expected at least one");
  }
  const repeated = parameters.find((p, i) => parameters.indexOf(p) !== i);
  if (repeated) {
    throw new GradusError(`optimizer: "${repeated.name}" is given twice; expected each once`);
  }
}

/** Throws a `GradusError` unless there is one gradient for each parameter. */
export function checkGradients(
  gradients: readonly Tensor[],
  parameters: readonly Parameter[],
): void {
  if (gradients.length === parameters.length) return;
  throw new GradusError(
    `optimizer: ${gradients.length} gradients; expected ${parameters.length}, ` +
      "one for each parameter",
  );
}
