import { asBytes, copyBytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { parseHeader } from "./safetensors-header.ts";

/**
 * The typed array that holds each dtype, in the reference's order of alignment; F16, BF16 and the
 * F8 types are held as their bits, BOOL as bytes of 0 and 1.
 */
export const SAFETENSORS_ARRAYS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

/** Element types that Gradus reads from and writes to a safetensors file. */
export type SafetensorsDType = keyof typeof SAFETENSORS_ARRAYS;

/** One tensor of a file: row-major data; `shape` is empty for a scalar. */
export type SafetensorsTensor = {
  [D in SafetensorsDType]: {
    dtype: D;
    shape: number[];
    data: InstanceType<(typeof SAFETENSORS_ARRAYS)[D]>;
  };
}[SafetensorsDType];

/** The content of a file: tensors by name in the order of their data, and its free text. */
export interface Safetensors {
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/** The longest header in bytes that the reference implementation reads. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The header's key for the file's free text, which no tensor may have as its name. */
export const METADATA_KEY = "__metadata__";

interface Entry {
  name: string;
  dtype: SafetensorsDType;
  shape: number[];
  begin: number;
  end: number;
}

/**
 * Reads a safetensors file into typed arrays that share no memory with it.
 *
 * Layout: the header's length as a little-endian u64, the header (JSON: name → dtype, shape and
 * data_offsets), then the data without gap or overlap. Source: the format's description in
 * https://github.com/huggingface/safetensors. Throws `FormatError` for every file that differs.
 */
export function readSafetensors(input: Uint8Array | ArrayBuffer): Safetensors {
  const bytes = asBytes("readSafetensors", input);
  const start = 8 + readHeaderLength(bytes);
  const header = parseHeader(bytes.subarray(8, start));
  const metadata = Object.hasOwn(header, METADATA_KEY) ? readMetadata(header[METADATA_KEY]) : {};
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, info]) => readEntry(name, info))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, bytes.length - start);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const { buffer } = copyBytes(bytes, start + begin, start + end);
    const data = new SAFETENSORS_ARRAYS[dtype](buffer);
    tensors.set(name, { dtype, shape, data } as SafetensorsTensor);
  }
  return { tensors, metadata };
}

function readHeaderLength(bytes: Uint8Array): number {
  if (bytes.length < 8) throw invalid(`${bytes.length} bytes`, "at least 8");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw invalid(`header of ${length} bytes`, `at most ${MAX_HEADER_BYTES}`);
  }
  if (length > bytes.length - 8) {
    throw invalid(`header of ${length} bytes`, `at most the ${bytes.length - 8} that follow`);
  }
  return Number(length);
}

function readMetadata(value: unknown): Record<string, string> {
  if (!isObject(value)) throw invalid(`${METADATA_KEY} ${JSON.stringify(value)}`, "an object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw invalid(`${METADATA_KEY} ${JSON.stringify(key)}: ${JSON.stringify(text)}`, "a string");
    }
  }
  return value as Record<string, string>;
}

function readEntry(name: string, info: unknown): Entry {
  const tensor = `tensor ${JSON.stringify(name)}`;
  const keys = isObject(info) ? Object.keys(info).sort().join() : "";
  if (keys !== "data_offsets,dtype,shape") {
    throw invalid(`${tensor}: ${JSON.stringify(info)}`, "{ dtype, shape, data_offsets }");
  }
  const { dtype, shape, data_offsets: offsets } = info as Record<string, unknown>;
  if (!isDType(dtype)) {
    const known = Object.keys(SAFETENSORS_ARRAYS).join(", ");
    throw invalid(`${tensor}: dtype ${JSON.stringify(dtype)}`, `one of ${known}`);
  }
  if (!isIntegers(shape)) {
    throw invalid(`${tensor}: shape ${JSON.stringify(shape)}`, "an array of integers");
  }
  if (!isIntegers(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw invalid(
      `${tensor}: data_offsets ${JSON.stringify(offsets)}`,
      "[begin, end], begin ≤ end",
    );
  }
  const [begin, end] = offsets;
  const expected = sizeOf(shape) * SAFETENSORS_ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    const given = `${tensor}: ${end - begin} bytes of data`;
    throw invalid(given, `${expected} for ${dtype} of shape [${shape.join(", ")}]`);
  }
  return { name, dtype, shape, begin, end };
}

// The sorted entries must follow one another from the first byte of the data to the last.
function checkCoverage(entries: readonly Entry[], length: number): void {
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const fault = begin < position ? "overlap" : "a hole";
      const given = `tensor ${JSON.stringify(name)}: data from ${begin}`;
      throw invalid(given, `data from ${position}, without ${fault}`);
    }
    position = end;
  }
  if (position !== length)
    throw invalid(`${length} bytes of data`, `${position}, as the header says`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDType(value: unknown): value is SafetensorsDType {
  return typeof value === "string" && Object.hasOwn(SAFETENSORS_ARRAYS, value);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function invalid(given: string, rule: string): FormatError {
  return new FormatError(`readSafetensors: ${given}; expected ${rule}`);
}
