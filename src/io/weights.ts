import { checkOptions, describeValue } from "../core/check.ts";
import { DTYPE_NAMES, type DType, dtypesOf, type NumericArray } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { list, quote } from "../core/quote.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { assignAll, type State } from "../graph/state.ts";
import { checkTensors, readAll, type Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { parseSafetensors, type SafetensorsTensor } from "./safetensors.ts";
import type { SafetensorsDType } from "./safetensors-dtype.ts";
import { formatSafetensors, type SafetensorsInput } from "./safetensors-write.ts";

/** Tensors by name, or something that lists its own, such as a module. */
export type NamedTensors<T extends Tensor = Tensor> =
  | ReadonlyMap<string, T>
  | { state(): ReadonlyMap<string, T> };

/** Names a dtype as safetensors files do: in capitals. */
function fileDType(dtype: DType): SafetensorsDType {
  return dtype.toUpperCase() as Uppercase<DType>;
}

/**
 * Reads tensors from their device and writes them, with free text, as a safetensors file.
 * @example const bytes = await saveSafetensors(model);
 */
export async function saveSafetensors(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return saveTensors("saveSafetensors", mapOf("saveSafetensors", tensors), metadata);
}

/**
 * Does what `saveSafetensors` does, as `op`.
 * @param also a tensor to be read at the same moment.
 * @param check told of its values before the file is made.
 */
export async function saveTensors(
  op: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
  also?: Tensor,
  check: (values: NumericArray) => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const named = [...tensors];
  const all = named.map(([, x]) => x);
  const values = await readAll(op, also ? [...all, also] : all);
  if (also) check(values[named.length]);
  const entries = named.map(([name, { shape, dtype }], i) => {
    const input = { dtype: fileDType(dtype), shape: [...shape], data: values[i] };
    return [name, input as SafetensorsInput] as const;
  });
  return formatSafetensors(op, new Map(entries), metadata);
}

/** Options of `loadSafetensors`. */
interface LoadOptions {
  /** The one of `init` when left out. */
  device?: Device;
}

/**
 * Makes tensors of a safetensors file, by name in the order of their data.
 * @param options `device`: the one of `init` when left out.
 * @throws FormatError for a damaged file, DTypeError for a dtype that the device or Gradus lacks.
 */
export function loadSafetensors(
  bytes: Uint8Array | ArrayBuffer,
  options: LoadOptions = {},
): Map<string, Tensor> {
  checkOptions<LoadOptions>("loadSafetensors", options, { device: true });
  const { tensors } = parseSafetensors("loadSafetensors", bytes);
  const typed = [...tensors].map(([name, x]) => [name, x, dtypeOf(name, x)] as const);
  const made = new Map<string, Tensor>();
  try {
    for (const [name, { data, shape }, dtype] of typed) {
      const x = tensor(data as NumericArray, { shape, dtype, device: options.device });
      made.set(name, x);
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
): () => void {
  const pairs = [...own].map(([name, state]) => {
    return [state, tensors.get(name) as SafetensorsTensor] as const;
  });
  for (const [i, name] of [...own.keys()].entries()) checkAlike(op, name, ...pairs[i]);
  return () => {
    const values: Tensor[] = [];
    try {
      for (const [{ device, dtype }, { data, shape }] of pairs) {
        values.push(tensor(data as NumericArray, { shape, dtype, device }));
      }
      assignAll(pairs.map(([state], i) => [state, values[i]]));
    } finally {
      for (const value of values) value.dispose();
    }
  };
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

function dtypeOf(name: string, { dtype }: SafetensorsTensor): DType {
  const own = DTYPE_NAMES.find((name) => fileDType(name) === dtype);
  if (own) return own;
  const all = (["float", "integer", "bool"] as const).flatMap(dtypesOf);
  throw new DTypeError(
    `loadSafetensors: tensor ${quote(name)} has dtype ${dtype}; ` +
      `expected one of ${list(all.map(fileDType))}`,
  );
}

function checkAlike(
  op: string,
  name: string,
  state: State,
  { dtype, shape }: SafetensorsTensor,
): void {
  if (fileDType(state.dtype) !== dtype) {
    throw new DTypeError(
      `${op}: ${quote(name)} is ${dtype} in the file; expected ${fileDType(state.dtype)}`,
    );
  }
  if (!sameShape(state.shape, shape)) {
    throw new ShapeError(
      `${op}: ${quote(name)} has shape ${formatShape(shape)} in the file; ` +
        `expected ${formatShape(state.shape)}`,
    );
  }
}
