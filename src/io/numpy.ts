import { asBytes } from "../core/bytes.ts";
import { checkOptions, checkSurplus, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { FormatError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import type { Device } from "../graph/device.ts";
import { checkTensors, readAll, type Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { formatNpy, parseNpy } from "./npy.ts";
import { isText } from "./safetensors-write.ts";
import { mapOf, type NamedTensors, tensorsOf } from "./weights.ts";
import { readZip, writeZip } from "./zip.ts";

/** Options of `loadNpy` and `loadNpz`. */
export interface LoadNpyOptions {
  /** The one of `init` when left out. */
  device?: Device;
  /**
   * What the elements become; as in the file when left out. NumPy makes `float64` unless it is told
   * otherwise, which GPUs do not have: `f32` fits them.
   */
  dtype?: DType;
}

const LOAD: Known<LoadNpyOptions> = { device: true, dtype: "string" };

/** The ending of the names of arrays in an archive. */
const ENDING = ".npy";

/**
 * Makes a tensor of what `numpy.save` wrote. Halves become `f32`, integers of 64 bits `i32` and `u32`.
 * @throws FormatError for a damaged file and for integers beyond 32 bits; DTypeError for elements that
 * are no real numbers, or that the device lacks.
 * @example
 * const bytes = await saveNpy(tensor([[1, 2], [3, 4]]));
 * const x = loadNpy(bytes);
 */
export function loadNpy(
  bytes: Uint8Array | ArrayBuffer,
  options: LoadNpyOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("loadNpy", options, LOAD, surplus);
  const { shape, data, dtype } = parseNpy("loadNpy", asBytes("loadNpy", bytes));
  return tensor(data, { shape, device: options.device, dtype: options.dtype ?? dtype });
}

/**
 * Writes a tensor as `numpy.save` does.
 * @example const bytes = await saveNpy(tensor([1, 2, 3]));
 */
export async function saveNpy(x: Tensor, ...surplus: never[]): Promise<Uint8Array<ArrayBuffer>> {
  checkSurplus("saveNpy(x)", surplus);
  checkTensors("saveNpy", [x]);
  const [data] = await readAll("saveNpy", [x]);
  return formatNpy({ dtype: x.dtype, shape: x.shape, data });
}

/**
 * Makes tensors of what `numpy.savez` or `numpy.savez_compressed` wrote, by name; other
 * files of an archive are passed over.
 * @throws FormatError and DTypeError as `loadNpy`; FormatError for two arrays of one name.
 * @example
 * const bytes = await saveNpz(new Map([["x", tensor([1, 2, 3])]]));
 * const x = (await loadNpz(bytes)).get("x");
 */
export async function loadNpz(
  bytes: Uint8Array | ArrayBuffer,
  options: LoadNpyOptions = {},
  ...surplus: never[]
): Promise<Map<string, Tensor>> {
  checkOptions("loadNpz", options, LOAD, surplus);
  const files = await readZip("loadNpz", asBytes("loadNpz", bytes));
  const isArray = (file: { name: string }) => file.name.endsWith(ENDING);
  const arrays = files.filter(isArray).map((file) => {
    const name = file.name.slice(0, -ENDING.length);
    return [name, parseNpy(`loadNpz: ${quote(name)}`, file.bytes)] as const;
  });
  const names = new Set<string>();
  for (const [name] of arrays) {
    if (names.has(name)) {
      throw new FormatError(`loadNpz: array ${quote(name)} twice; expected a name for each`);
    }
    names.add(name);
  }
  return tensorsOf(arrays, options);
}

/** Options of `saveNpz`. */
export interface SaveNpzOptions {
  /** Whether the arrays are deflated, as by `numpy.savez_compressed`; false when left out. */
  compressed?: boolean;
}

/**
 * Reads tensors from their device and writes them as `numpy.savez` does.
 * @param tensors a module, or a Map of tensors by name.
 * @throws FormatError for names that are no Unicode text, or of more bytes than an archive keeps.
 * @example const bytes = await saveNpz(model, { compressed: true });
 */
export async function saveNpz(
  tensors: NamedTensors,
  options: SaveNpzOptions = {},
  ...surplus: never[]
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions<SaveNpzOptions>("saveNpz", options, { compressed: "boolean" }, surplus);
  const map = mapOf("saveNpz", tensors);
  for (const name of map.keys()) checkName(name);
  const values = await readAll("saveNpz", [...map.values()]);
  const files = [...map].map(([name, { dtype, shape }], i) => {
    return { name: `${name}${ENDING}`, bytes: formatNpy({ dtype, shape, data: values[i] }) };
  });
  return writeZip("saveNpz", files, options.compressed ?? false);
}

/** The most bytes of a name in a ZIP archive. */
const LONGEST_NAME = 0xffff;

function checkName(name: unknown): void {
  const fits = (text: string) => new TextEncoder().encode(text + ENDING).length <= LONGEST_NAME;
  if (isText(name) && fits(name)) return;
  throw new FormatError(
    `saveNpz: tensor ${quote(name)}; expected a name of Unicode text, of at most ` +
      `${LONGEST_NAME - ENDING.length} bytes`,
  );
}
