import { checkEach, checkSurplus } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { assignAll } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "./module.ts";

/**
 * Assigns every state of a module the value of its name, all or nothing.
 * @throws GradusError when names are missing or unknown, ShapeError, DTypeError or DeviceError
 * when a value does not fit.
 * @example loadState(copy, model.state());
 */
export function loadState(
  model: Module,
  values: ReadonlyMap<string, Tensor>,
  ...surplus: never[]
): void {
  checkSurplus("loadState(model, values)", surplus);
  const isModule = typeof model?.state === "function";
  checkEach("loadState", { model }, () => isModule, "a module");
  const isMap = typeof values?.has === "function" && typeof values.keys === "function";
  checkEach("loadState", { values }, () => isMap, "a Map of tensors by name, as state() gives");
  const own = model.state();
  const missing = [...own.keys()].filter((name) => !values.has(name));
  const unknown = [...values.keys()].filter((name) => !own.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    throw new GradusError(
      `loadState: missing [${missing.join(", ")}], unknown [${unknown.join(", ")}]; ` +
        "expected exactly the names of state()",
    );
  }
  assignAll([...own].map(([name, state]) => [state, values.get(name) as Tensor]));
}
