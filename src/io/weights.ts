import { checkEach, checkOptions, describeValue, type Known } from "../core/check.ts";
import {
  DTYPE_NAMES,
  type DType,
  either,
  is,
  isDType,
  isHalf,
  type NumericArray,
} from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { elementsOf } from "../core/halves.ts";
import { isPlainObject, kindOf } from "../core/kind.ts";
import { list, quote } from "../core/quote.ts";
import { formatShape, type Shape, sameShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { assignAll, type State } from "../graph/state.ts";
import { checkTensors, readAll, type Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { inverse, permute } from "../ops/reshape.ts";
import { fileDType, type HeldElements, heldAs, heldElements } from "./held.ts";
import {
  axesIn,
  checkOrigin,
  commonFormat,
  type FileOrigin,
  FORMATS,
  fileMarkOf,
  formIn,
  isUnknown,
  markTensors,
  nameIn,
  originOfMark,
  shapeIn,
} from "./origins.ts";
import { parseSafetensors, type SafetensorsTensor } from "./safetensors.ts";
import { formatSafetensors, type SafetensorsInput } from "./safetensors-write.ts";
import { encodeSmallFloats, SMALL_FLOATS } from "./small-floats.ts";

/** Tensors by name, or something that lists its own, such as a module. */
export type NamedTensors<T extends Tensor = Tensor> =
  | ReadonlyMap<string, T>
  | {
      /** The tensors by name. */
      state(): ReadonlyMap<string, T>;
    };

/** Options of `saveSafetensors`. */
export interface SaveOptions {
  /** Writes floats of all tensors with 16 bits, rounded to the nearest; their own dtype when left out. */
  floats?: keyof typeof SMALL_FLOATS;
  /**
   * Whose names and orders of axes the file gets; when left out, ours, or those of the file of which
   * `loadSafetensors` made the tensors. For PyTorch, which reads it by
   * `load_state_dict(safetensors.torch.load_file(path))`, weights of `Linear` are transposed.
   */
  to?: FileOrigin;
}

const SAVE: Known<SaveOptions> = { floats: true, to: true };

/**
 * Reads tensors from their device and writes them, with free text, as a safetensors file.
 * @param metadata the free text, without `format`, by which the file itself tells `loadState` whose it is:
 * `"gradus"`, `"pt"` for PyTorch, or nothing where tensors are neither a module's nor a file's.
 * @throws GradusError for finite values that are too large for `floats`, for options among the metadata, and
 * for tensors whose axes cannot be brought into the order that `to` asks for.
 * @example const bytes = await saveSafetensors(model);
 * const half = await saveSafetensors(model, {}, { floats: "F16" });
 * const theirs = await saveSafetensors(model, {}, { to: "pytorch" });
 */
export async function saveSafetensors(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
  options: SaveOptions = {},
  ...surplus: never[]
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions("saveSafetensors", options, SAVE, surplus);
  const { floats, to } = options;
  checkOrigin("saveSafetensors", "to", to);
  const isKnown = (x: unknown) => x === undefined || Object.hasOwn(SMALL_FLOATS, x as string);
  checkEach("saveSafetensors", { floats }, isKnown, either(Object.keys(SMALL_FLOATS)));
  checkEach("saveSafetensors", { metadata }, isPlainObject, "texts by name");
  checkOwned(metadata);
  const all = mapOf("saveSafetensors", tensors);
  const origin = originFor(all, to);
  const own = new Map([...all].filter(([, x]) => formIn(to, x) !== null));
  const nameFor = (name: string, x: Tensor) => (fileMarkOf(x) ? name : nameIn(to, name, x));
  const map = new Map([...own].map(([name, x]) => [nameFor(name, x), toForeign(x, to)]));
  if (map.size < own.size) {
    const names = list([...map.keys()]);
    throw new GradusError(
      `saveSafetensors: [${names}] for ${own.size} tensors; expected a name for each`,
    );
  }
  try {
    const values = await readAll("saveSafetensors", [...map.values()]);
    const text = { ...(origin && { format: FORMATS[origin] }), ...metadata };
    return formatTensors("saveSafetensors", map, values, text, floats);
  } finally {
    const isOwn = new Set(own.values());
    for (const x of map.values()) if (!isOwn.has(x)) x.dispose();
  }
}

/** Throws a `GradusError` for free text under names that are options, or that the file itself needs. */
function checkOwned(metadata: Readonly<Record<string, string>>): void {
  const name = [...Object.keys(SAVE), "format"].find((key) => Object.hasOwn(metadata, key));
  if (name === undefined) return;
  const option = name === "format" ? "to" : name;
  throw new GradusError(
    `saveSafetensors: metadata of the name ${quote(name)}; expected other names. ` +
      `Give { ${option} } behind the metadata: saveSafetensors(tensors, {}, { ${option} })`,
  );
}

/**
 * Tells whose names and orders of axes a file of tensors gets; `undefined` where nobody knows.
 * @throws GradusError where tensors do not say how they are brought there.
 */
function originFor(
  tensors: ReadonlyMap<string, Tensor>,
  to: FileOrigin | undefined,
): FileOrigin | undefined {
  const common = commonFormat("saveSafetensors", tensors.values());
  for (const [name, x] of tensors) {
    const mark = fileMarkOf(x);
    const isOther = mark !== undefined && originOfMark(mark) !== to;
    if (to === undefined || !(isOther || (to === "pytorch" && isUnknown(x)))) continue;
    const format = mark === undefined ? "no format" : `the format ${quote(mark)} of its file`;
    throw new GradusError(
      `saveSafetensors: ${quote(name)} of ${format} to ${quote(to)}; expected a module or its states, which ` +
        "say how they lie there. Load it into a module first",
    );
  }
  if (to !== undefined) return to;
  return [...tensors.values()].some(isUnknown) ? undefined : originOfMark(common);
}

/** Gives a tensor with its axes as files of an origin have them: itself where that is no matter. */
function toForeign(x: Tensor, origin: FileOrigin | undefined): Tensor {
  const axes = axesIn(origin, x);
  return axes ? permute(x, axes) : x;
}

/**
 * Reads tensors and writes them as `saveSafetensors` does, as `op`.
 * @param also a tensor to be read at the same moment, if any.
 * @param check told of its values before the file is made.
 */
export async function saveTensors(
  op: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
  also: Tensor | undefined,
  check: (values: NumericArray) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = [...tensors.values()];
  const values = await readAll(op, also ? [...all, also] : all);
  if (also) check(values[all.length]);
  return formatTensors(op, tensors, values, metadata);
}

function formatTensors(
  op: string,
  tensors: ReadonlyMap<string, Tensor>,
  values: readonly NumericArray[],
  metadata: Readonly<Record<string, string>>,
  floats?: SaveOptions["floats"],
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].map(([name, { shape, dtype }], i) => {
    const isSmall = floats && is(dtype, "float");
    const data = isSmall ? smallFloats(op, name, values[i], floats) : elementsOf(values[i], dtype);
    const input = { dtype: isSmall ? floats : fileDType(dtype), shape: [...shape], data };
    return [name, input as SafetensorsInput] as const;
  });
  return formatSafetensors(op, new Map(entries), metadata);
}

function smallFloats(
  op: string,
  name: string,
  values: NumericArray,
  dtype: keyof typeof SMALL_FLOATS,
): Uint16Array {
  const words = encodeSmallFloats(values, SMALL_FLOATS[dtype]);
  const [infinity] = encodeSmallFloats([Number.POSITIVE_INFINITY], SMALL_FLOATS[dtype]);
  const lost = words.findIndex(
    (bits, i) => (bits & 0x7fff) === infinity && Number.isFinite(values[i]),
  );
  if (lost < 0) return words;
  throw new GradusError(
    `${op}: tensor ${quote(name)} holds ${values[lost]} at ${lost}; expected numbers that ${dtype} can hold` +
      (dtype === "F16" ? ". BF16 has the range of f32" : ""),
  );
}

/** Options of `loadSafetensors`. */
export interface LoadOptions {
  /** The one of `init` when left out. */
  device?: Device;
  /** What tensors of dtype F16 become: `f32` when left out, or `f16`, as they lie in the file. */
  halves?: DType;
}

/**
 * Makes tensors of a safetensors file, by name in the order of their data.
 * @param options `device`: the one of `init` when left out; `halves`: `f32` when left out.
 * @throws FormatError for a damaged file, DTypeError for a dtype that the device or Gradus lacks.
 */
export function loadSafetensors(
  bytes: Uint8Array | ArrayBuffer,
  options: LoadOptions = {},
): Map<string, Tensor> {
  checkOptions<LoadOptions>("loadSafetensors", options, { device: true, halves: "string" });
  const { halves, ...rest } = options;
  checkEach("loadSafetensors", { halves }, isOfHalves, either(DTYPE_NAMES.filter(isOfHalves)));
  const { tensors, metadata } = parseSafetensors("loadSafetensors", bytes);
  const typed = [...tensors].map(([name, x]) => {
    const { dtype, data } = heldElements("loadSafetensors", name, x);
    const own = x.dtype === "F16" ? (halves ?? dtype) : dtype;
    return [name, { shape: x.shape, dtype: own, data }] as const;
  });
  const made = tensorsOf(typed, rest);
  markTensors(made.values(), metadata.format);
  return made;
}

/** Whether a dtype holds all numbers of F16, or none is named. */
function isOfHalves(dtype: unknown): boolean {
  if (dtype === undefined) return true;
  return isDType(dtype) && (is(dtype, "float") || isHalf(dtype));
}

/** Makes tensors by name, all or none. */
export function tensorsOf(
  arrays: readonly (readonly [string, HeldElements & { shape: Shape }])[],
  options: { device?: Device; dtype?: DType },
): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  try {
    for (const [name, { shape, dtype, data }] of arrays) {
      made.set(
        name,
        tensor(data, { shape, device: options.device, dtype: options.dtype ?? dtype }),
      );
    }
    return made;
  } catch (error) {
    for (const x of made.values()) x.dispose();
    throw error;
  }
}

/**
 * Checks that a file's tensors fit the states of their names, and gives what assigns them; throws a
 * ShapeError or DTypeError for what does not fit.
 */
export function prepareTensors(
  op: string,
  own: ReadonlyMap<string, State>,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  origin?: FileOrigin,
): () => void {
  const checked = [...own].map(([name, state]) => {
    const x = tensors.get(name) as SafetensorsTensor;
    return [name, state, x.shape, alike(op, name, state, x, origin)] as const;
  });
  return () => {
    const values = new Map<string, Tensor>();
    try {
      for (const [name, { device, dtype }, shape, data] of checked) {
        values.set(name, tensor(data, { shape, dtype, device }));
      }
      assignOriented(own, values, origin);
    } finally {
      for (const value of values.values()) value.dispose();
    }
  };
}

/** Assigns states the values of their names, whose axes are in the order of an origin's files. */
export function assignOriented(
  states: ReadonlyMap<string, State>,
  values: ReadonlyMap<string, Tensor>,
  origin: FileOrigin | undefined,
): void {
  const turned: Tensor[] = [];
  try {
    const pairs = [...states].map(([name, state]) => {
      const x = values.get(name) as Tensor;
      const axes = axesIn(origin, state);
      if (axes?.length !== x.rank) return [state, x] as const; // assignAll says what is wrong
      const y = permute(x, inverse(axes));
      turned.push(y);
      return [state, y] as const;
    });
    assignAll(pairs);
  } finally {
    for (const y of turned) y.dispose();
  }
}

/** Tensors by name; throws a `GradusError`, as `op`, for what holds none. */
export function mapOf<T extends Tensor>(
  op: string,
  tensors: NamedTensors<T>,
  name = "tensors",
  also = "",
): ReadonlyMap<string, T> {
  const isObject = typeof tensors === "object" && tensors !== null;
  if (isObject && "state" in tensors && typeof tensors.state === "function") return tensors.state();
  if (isObject && kindOf(tensors) === "Map") {
    const map = tensors as ReadonlyMap<string, T>;
    checkTensors(op, [...map.values()]);
    return map;
  }
  throw new GradusError(
    `${op}: ${name} ${describeValue(tensors)}; expected a module or a Map of tensors by name${also}`,
  );
}

/** Gives a file's elements for a state; throws a ShapeError or DTypeError for what does not fit. */
function alike(
  op: string,
  name: string,
  state: State,
  x: SafetensorsTensor,
  origin: FileOrigin | undefined,
): NumericArray {
  if (heldAs(x.dtype) !== state.dtype && x.dtype !== fileDType(state.dtype)) {
    throw new DTypeError(
      `${op}: ${quote(name)} is ${x.dtype} in the file; expected ${fileDType(state.dtype)}`,
    );
  }
  const expected = shapeIn(state.shape, axesIn(origin, state));
  if (!sameShape(expected, x.shape)) {
    const isTheirs = !origin && sameShape(shapeIn(state.shape, state.pytorch?.axes), x.shape);
    throw new ShapeError(
      `${op}: ${quote(name)} has shape ${formatShape(x.shape)} in the file; ` +
        `expected ${formatShape(expected)}${isTheirs ? ', or { from: "pytorch" }' : ""}`,
    );
  }
  return heldElements(op, name, x).data;
}
