import { DTypeError, FormatError, ShapeError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { sizeOf } from "../core/shape.ts";
import {
  MAX_HEADER_BYTES,
  METADATA_KEY,
  SAFETENSORS_ARRAYS,
  type SafetensorsDType,
  type SafetensorsTensor,
} from "./safetensors.ts";

/** A tensor to write: its dtype's typed array, or its little-endian bytes as they are. */
export type SafetensorsInput =
  | SafetensorsTensor
  | { dtype: SafetensorsDType; shape: readonly number[]; data: Uint8Array };

const ALIGNMENT = 8;
const RANKS = Object.keys(SAFETENSORS_ARRAYS) as SafetensorsDType[];

/**
 * Writes tensors and free text as a safetensors file.
 *
 * As the reference does, it puts dtypes of stricter alignment first, sorts by name (by code point)
 * within a dtype, and pads the header so that every element is aligned; the same input gives the
 * same bytes. Throws `DTypeError` for a dtype or typed array that does not fit, `ShapeError` for a
 * shape that does not hold the data, `FormatError` for names and texts that a file cannot hold.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, SafetensorsInput>> | ReadonlyMap<string, SafetensorsInput>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = [
    ...(kindOf(tensors) === "Map"
      ? (tensors as ReadonlyMap<string, SafetensorsInput>)
      : Object.entries(tensors)),
  ] as [string, SafetensorsInput][];
  for (const [name, tensor] of entries) checkTensor(name, tensor);
  entries.sort(
    ([nameA, a], [nameB, b]) =>
      RANKS.indexOf(b.dtype) - RANKS.indexOf(a.dtype) || compareCodePoints(nameA, nameB),
  );
  const header = new TextEncoder().encode(headerText(entries, metadata));
  const start = Math.ceil((8 + header.length) / ALIGNMENT) * ALIGNMENT;
  if (start - 8 > MAX_HEADER_BYTES) {
    const given = `writeSafetensors: header of ${start - 8} bytes`;
    throw new FormatError(`${given}; expected at most ${MAX_HEADER_BYTES}`);
  }
  const length = entries.reduce((sum, [, { data }]) => sum + data.byteLength, start);
  const bytes = new Uint8Array(length).fill(0x20, 8 + header.length, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(header, 8);
  let position = start;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

// Joined by hand, because an object would move names like "0" to the front.
function headerText(
  entries: readonly [string, SafetensorsInput][],
  metadata: Readonly<Record<string, string>>,
): string {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) {
    for (const [key, text] of Object.entries(metadata)) checkText(key, text);
    fields.push(`"${METADATA_KEY}":${JSON.stringify(metadata)}`);
  }
  let begin = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    const end = begin + data.byteLength;
    fields.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`,
    );
    begin = end;
  }
  return `{${fields.join(",")}}`;
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsInput): void {
  const tensor = `writeSafetensors: tensor ${JSON.stringify(name)}`;
  if (name === METADATA_KEY || !isText(name)) {
    throw new FormatError(`${tensor}; expected a name of Unicode text other than ${METADATA_KEY}`);
  }
  if (!RANKS.includes(dtype)) {
    throw new DTypeError(`${tensor}: dtype ${dtype}; expected one of ${RANKS.join(", ")}`);
  }
  const array = SAFETENSORS_ARRAYS[dtype];
  if (![array.name, "Uint8Array"].includes(kindOf(data))) {
    throw new DTypeError(`${tensor}: other data for ${dtype}; expected ${array.name} or bytes`);
  }
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new ShapeError(`${tensor}: shape [${shape.join(", ")}]; expected integers from 0`);
  }
  const expected = sizeOf(shape) * array.BYTES_PER_ELEMENT;
  if (data.byteLength !== expected) {
    const rule = `expected ${expected} for ${dtype} of shape [${shape.join(", ")}]`;
    throw new ShapeError(`${tensor}: ${data.byteLength} bytes of data; ${rule}`);
  }
}

function checkText(key: string, text: unknown): void {
  if (!isText(key) || !isText(text)) {
    throw new FormatError(
      `writeSafetensors: metadata ${JSON.stringify(key)}: ${JSON.stringify(text)}; ` +
        "expected Unicode text",
    );
  }
}

// A lone surrogate has no UTF-8 form.
function isText(value: unknown): boolean {
  return typeof value === "string" && !/\p{Surrogate}/u.test(value);
}

// Code points sort as their UTF-8 bytes do; UTF-16 code units would not.
function compareCodePoints(a: string, b: string): number {
  const left = Array.from(a, (character) => character.codePointAt(0) as number);
  const right = Array.from(b, (character) => character.codePointAt(0) as number);
  const i = left.findIndex((point, at) => point !== right[at]);
  if (i === -1) return left.length - right.length;
  return i < right.length ? left[i] - right[i] : 1;
}
