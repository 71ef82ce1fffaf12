import { GradusError } from "../core/errors.ts";
import type { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Throws a `GradusError` for no parameters, or one given twice. */
export function checkParameters(parameters: readonly Parameter[]): void {
  if (parameters.length === 0) {
    throw new GradusError(
      "optimizer: no parameters; expected at least one. Modules list what lies in public fields, " +
        "arrays, objects, Maps and Sets and is not frozen; private #fields cannot be searched",
    );
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
