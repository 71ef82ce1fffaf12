import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { list, quote } from "../core/quote.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import type { State } from "../graph/state.ts";
import {
  checkOrigin,
  checkUnambiguous,
  commonFormat,
  type FileOrigin,
  fileFormatOf,
  inOwnNames,
  originOf,
  originOfMark,
  statesIn,
} from "./origins.ts";
import { parseSafetensors } from "./safetensors.ts";
import { assignOriented, mapOf, type NamedTensors, prepareTensors } from "./weights.ts";

/** Options of `loadState`. */
export interface LoadStateOptions {
  /**
   * Whether the names must be exactly those of the states; true when left out. If not, a state without
   * a value stays as it is, and a value without a state is left out.
   */
  strict?: boolean;
  /**
   * Whose names and orders of axes the values have; when left out, as the file says, or the layers whose
   * weights they are. Those of PyTorch are brought into ours: weights of `Linear` are transposed.
   */
  from?: FileOrigin;
  /** What values are called here; as there when left out. */
  rename?: Rename;
}

/**
 * Tells what a value is called here: a function of its name that gives null for what is to be left
 * out, or patterns and what they are replaced with, one after the other.
 */
export type Rename =
  | ((name: string) => string | null)
  | readonly (readonly [pattern: RegExp | string, replacement: string])[];

const LOAD_STATE: Known<LoadStateOptions> = { strict: "boolean", from: true, rename: true };

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
 * FormatError for those of a file, for a damaged one, and for values that may be PyTorch's or ours where
 * weights would lie transposed, such as those of an archive of NumPy or of a Map of one's own tensors; ShapeError, DTypeError or DeviceError for a value that does not fit.
 * @example loadState(model, bytes);
 * @example
 * const theirs = await saveSafetensors(model, {}, { to: "pytorch" });
 * loadState(model, theirs, { from: "pytorch", rename: [[/^encoder\./, ""]], strict: false });
 */
export function loadState(
  states: NamedTensors<State>,
  values: NamedTensors | Uint8Array | ArrayBuffer,
  options: LoadStateOptions = {},
  ...surplus: never[]
): UnmatchedNames {
  checkOptions("loadState", options, LOAD_STATE, surplus);
  checkOrigin("loadState", "from", options.from);
  const own = mapOf("loadState", states, "states");
  if (isFile(values)) {
    const { tensors, metadata } = parseSafetensors("loadState", values);
    const { format } = metadata;
    const told = { what: "a file", format, fileFormatOf: () => format };
    const { names, met, named, origin } = match(own, tensors, told, options, FormatError);
    prepareTensors("loadState", met, named, origin)();
    return names;
  }
  const tensors = mapOf("loadState", values, "values", ", or the bytes of a safetensors file");
  const told = {
    what: "values",
    format: commonFormat("loadState", tensors.values()),
    fileFormatOf,
  };
  const { names, met, named, origin } = match(own, tensors, told, options, GradusError);
  assignOriented(met, named, origin);
  return names;
}

/** What values say of whose they are. */
interface Told<T> {
  /** What they are, for messages. */
  readonly what: string;
  /** The format of those that say it. */
  readonly format: string | undefined;
  /** The format of one of them, where it says so. */
  fileFormatOf(value: T): string | undefined;
}

/** Brings values and states together: the ones that met, by the states' names, and the other names. */
function match<T extends { readonly shape: Shape }>(
  own: ReadonlyMap<string, State>,
  values: ReadonlyMap<string, T>,
  { what, format, fileFormatOf }: Told<T>,
  { strict = true, from, rename }: LoadStateOptions,
  Kind: new (message: string) => GradusError,
) {
  const origin = originOf("loadState", what, format, from);
  const named = inOwnNames(own, renamed("loadState", values, rename), origin);
  const asked = statesIn(origin, own, named);
  const names = checkNames("loadState", asked, named, Kind, strict);
  const isMissing = new Set(names.missing);
  const met = new Map([...asked].filter(([name]) => !isMissing.has(name)));
  if (!strict) checkMerged("loadState", own, names, [...met.keys()], Kind);
  if (!from) {
    const isOpen = ([name, { shape }]: readonly [string, State]) => {
      const value = named.get(name) as T;
      return !originOfMark(fileFormatOf(value)) && sameShape(value.shape, shape);
    };
    checkUnambiguous("loadState", what, new Map([...met].filter(isOpen)));
  }
  return { names, met, named, origin };
}

const MERGED = /(^|\.)loraMerged[AB](\.|$)/;

/**
 * Throws a `Kind` where weights with merged adapters would be given to a model whose adapters are beside
 * them, which would count twice, or weights without to one that has merged adapters.
 */
function checkMerged(
  op: string,
  own: ReadonlyMap<string, unknown>,
  { missing, unknown }: UnmatchedNames,
  met: readonly string[],
  Kind: new (message: string) => GradusError,
): void {
  for (const name of [...unknown, ...missing]) {
    const found = MERGED.exec(name);
    if (!found) continue;
    const place = name.slice(0, found.index) + found[1];
    const rest = (all: Iterable<string>) =>
      [...all].filter((other) => other.startsWith(place)).map((other) => other.slice(place.length));
    const isOurs = own.has(name);
    const isWrong = isOurs
      ? rest(met).some((other) => /^(?!lora)[^.]+$/.test(other))
      : rest(own.keys()).some((other) => /^lora[AB](\.|$)/.test(other));
    if (!isWrong) continue;
    const given = isOurs ? `${quote(name)} without a value` : `${quote(name)} without a state`;
    throw new Kind(
      `${op}: ${given}; expected adapters that are merged in both or in neither. Call mergeLora, ` +
        "unmergeLora or removeLora before",
    );
  }
}

/** Calls values as `rename` says; throws a `GradusError` where it is wrong or two get one name. */
function renamed<T>(
  op: string,
  values: ReadonlyMap<string, T>,
  rename: Rename | undefined,
): ReadonlyMap<string, T> {
  if (!rename) return values;
  const pairs = typeof rename === "function" ? null : checkedPairs(op, rename);
  const nameOf = (name: string) => {
    if (!pairs) return (rename as (name: string) => string | null)(name);
    return pairs.reduce((text, [pattern, by]) => text.replace(pattern, by), name);
  };
  const made = new Map<string, T>();
  for (const [before, value] of values) {
    const name = nameOf(before);
    if (name === null) continue;
    if (typeof name === "string" && !made.has(name)) made.set(name, value);
    else {
      const given = `${op}: rename gives ${quote(name)} for ${quote(before)}`;
      throw new GradusError(
        `${given}; expected a name of its own for each, or null to leave it out`,
      );
    }
  }
  return made;
}

function checkedPairs(op: string, rename: Exclude<Rename, (name: string) => string | null>) {
  const isPair = (x: unknown) =>
    Array.isArray(x) && /^(RegExp|String)$/.test(kindOf(x[0])) && typeof x[1] === "string";
  const isGood = Array.isArray(rename) && rename.every(isPair);
  checkEach(op, { rename }, () => isGood, "a function, or pairs of a pattern and its replacement");
  return rename;
}

function isFile(values: unknown): values is Uint8Array | ArrayBuffer {
  return ["Uint8Array", "ArrayBuffer"].includes(kindOf(values));
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
