import { decodeUtf8 } from "../core/bytes.ts";
import { isInteger } from "../core/check.ts";
import { FormatError } from "../core/errors.ts";
import { isPlainObject } from "../core/kind.ts";
import { quote } from "../core/quote.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { HeaderJson } from "./header-json.ts";
import { SAFETENSORS_ARRAYS, type SafetensorsDType } from "./safetensors-dtype.ts";

/** The longest header in bytes that the reference implementation reads. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The header's key for the file's free text, which no tensor may have as its name. */
export const METADATA_KEY = "__metadata__";

/** Where a tensor's data lies, from the first byte of all data. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface Header {
  /** The tensors in the order of their data, which they cover from the first byte to the last. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Record<string, string>;
  /** The place of the first byte of data in the file. */
  readonly start: number;
}

/**
 * Reads a file's header: JSON, padded at most with trailing spaces, that fits the bytes behind it.
 * Throws `FormatError`, as `op`, for any other.
 */
export function readHeader(op: string, bytes: Uint8Array): Header {
  const start = 8 + headerLength(op, bytes);
  const fail = (given: string, rule: string) => invalid(op, given, rule);
  if (bytes[8] !== 0x7b) {
    throw fail("header: first byte is not {", "a JSON object");
  }
  const text = decodeUtf8(bytes.subarray(8, start));
  if (text === null) throw fail("header: bytes are not UTF-8", "UTF-8");
  const json = new HeaderJson(op, text);
  let metadata: Record<string, string> = Object.create(null);
  const members = json.object((name) => {
    if (name !== METADATA_KEY) return readEntry(op, name, json);
    metadata = readMetadata(op, json);
    return null;
  });
  json.end();
  const entries = Object.values(members).filter((entry) => entry !== null);
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(op, entries, bytes.length - start);
  return { entries, metadata, start };
}

function headerLength(op: string, bytes: Uint8Array): number {
  if (bytes.length < 8) throw invalid(op, `${bytes.length} bytes`, "at least 8");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw invalid(op, `header of ${length} bytes`, `at most ${MAX_HEADER_BYTES}`);
  }
  if (length > bytes.length - 8) {
    throw invalid(op, `header of ${length} bytes`, `at most the ${bytes.length - 8} that follow`);
  }
  return Number(length);
}

function readMetadata(op: string, json: HeaderJson): Record<string, string> {
  const value = json.value((key) => {
    const text = json.value();
    if (typeof text === "string") return text;
    throw invalid(op, `${METADATA_KEY} ${quote(key)}: ${quote(text)}`, "a string");
  });
  if (isPlainObject(value)) return value as Record<string, string>;
  throw invalid(op, `${METADATA_KEY} ${quote(value)}`, "an object");
}

const FIELDS = ["dtype", "shape", "data_offsets"];
const RULE = "{ dtype, shape, data_offsets }";

function readEntry(op: string, name: string, json: HeaderJson): HeaderEntry {
  const fail = (given: string, rule: string) =>
    invalid(op, `tensor ${quote(name)}: ${given}`, rule);
  const info = json.value((field) => {
    if (FIELDS.includes(field)) return json.value();
    throw fail(`field ${quote(field)}`, RULE);
  });
  if (!isPlainObject(info) || !FIELDS.every((field) => field in info))
    throw fail(quote(info), RULE);
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isFileDType(dtype)) {
    throw fail(`dtype ${quote(dtype)}`, `one of ${Object.keys(SAFETENSORS_ARRAYS).join(", ")}`);
  }
  if (!isIntegers(shape)) throw fail(`shape ${quote(shape)}`, "an array of integers");
  if (!isIntegers(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw fail(`data_offsets ${quote(offsets)}`, "[begin, end], begin ≤ end");
  }
  const [begin, end] = offsets;
  const expected = sizeOf(shape) * SAFETENSORS_ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    const rule = `${expected} for ${dtype} of shape ${formatShape(shape)}`;
    throw fail(`${end - begin} bytes of data`, rule);
  }
  return { name, dtype, shape, begin, end };
}

// The sorted entries must follow one another from the first byte of the data to the last.
function checkCoverage(op: string, entries: readonly HeaderEntry[], length: number): void {
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const fault = begin < position ? "overlap" : "a hole";
      const given = `tensor ${quote(name)}: data from ${begin}`;
      throw invalid(op, given, `data from ${position}, without ${fault}`);
    }
    position = end;
  }
  if (position !== length) {
    throw invalid(op, `${length} bytes of data`, `${position}, as the header says`);
  }
}

function isFileDType(value: unknown): value is SafetensorsDType {
  return typeof value === "string" && Object.hasOwn(SAFETENSORS_ARRAYS, value);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => isInteger(size, 0));
}

function invalid(op: string, given: string, rule: string): FormatError {
  return new FormatError(`${op}: ${given}; expected ${rule}`);
}
