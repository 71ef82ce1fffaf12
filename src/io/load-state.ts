import { checkOptions } from "../core/check.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { list } from "../core/quote.ts";
import { assignAll, type State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parseSafetensors } from "./safetensors.ts";
import { mapOf, type NamedTensors, prepareTensors } from "./weights.ts";

/** Options of `loadState`. */
export interface LoadStateOptions {
  /**
   * Whether the names must be exactly those of the states; true when left out. If not, a state without
   * a value stays as it is, and a value without a state is left out.
   */
  strict?: boolean;
}

/** The names that did not meet. */
export interface UnmatchedNames {
  /** Those of states without a value. */
  readonly missing: string[];
  /** Those of values without a state. */
  readonly unknown: string[];
}

/**
 * Assigns states the values of their names, all or nothing.
 * @param states a module, an optimizer, or a Map of states by name.
 * @param values the bytes of a safetensors file, a module, or a Map of tensors by name.
 * @returns the names that did not meet: none, unless `strict` is false.
 * @throws GradusError for names that are missing or unknown, with `strict: false` where none meets;
 * FormatError for those of a file, and for a damaged one; ShapeError, DTypeError or DeviceError for
 * a value that does not fit.
 * @example loadState(model, bytes);
 */
export function loadState(
  states: NamedTensors<State>,
  values: NamedTensors | Uint8Array | ArrayBuffer,
  options: LoadStateOptions = {},
  ...surplus: never[]
): UnmatchedNames {
  checkOptions<LoadStateOptions>("loadState", options, { strict: "boolean" }, surplus);
  const own = mapOf("loadState", states, "states");
  const { strict = true } = options;
  if (isFile(values)) {
    const { tensors } = parseSafetensors("loadState", values);
    const names = checkNames("loadState", own, tensors, FormatError, strict);
    prepareTensors("loadState", without(own, names), tensors)();
    return names;
  }
  const tensors = mapOf("loadState", values, "values", ", or the bytes of a safetensors file");
  const names = checkNames("loadState", own, tensors, GradusError, strict);
  assignAll([...without(own, names)].map(([name, x]) => [x, tensors.get(name) as Tensor]));
  return names;
}

function isFile(values: unknown): values is Uint8Array | ArrayBuffer {
  return ["Uint8Array", "ArrayBuffer"].includes(kindOf(values));
}

function without(own: ReadonlyMap<string, State>, { missing }: UnmatchedNames) {
  const isMissing = new Set(missing);
  return new Map([...own].filter(([name]) => !isMissing.has(name)));
}

/**
 * Compares the names of states with those of values; throws a `Kind` unless they are the same, or
 * where that is not asked for, if none meets.
 */
export function checkNames(
  op: string,
  own: ReadonlyMap<string, unknown>,
  values: ReadonlyMap<string, unknown>,
  Kind: new (message: string) => GradusError,
  strict = true,
): UnmatchedNames {
  const missing = [...own.keys()].filter((name) => !values.has(name));
  const unknown = [...values.keys()].filter((name) => !own.has(name));
  const isGood = strict ? missing.length + unknown.length === 0 : missing.length < own.size;
  if (isGood) return { missing, unknown };
  throw new Kind(
    `${op}: missing [${list(missing)}], unknown [${list(unknown)}]; expected ` +
      `${strict ? "exactly" : "some of"} the names of the states`,
  );
}
