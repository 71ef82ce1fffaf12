import { checkEach, isInteger } from "../core/check.ts";
import { DTypeError, FormatError, ShapeError } from "../core/errors.ts";
import { isPlainObject, kindOf } from "../core/kind.ts";
import { quote } from "../core/quote.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { SafetensorsTensor } from "./safetensors.ts";
import { SAFETENSORS_ARRAYS, type SafetensorsDType } from "./safetensors-dtype.ts";
import { MAX_HEADER_BYTES, METADATA_KEY } from "./safetensors-header.ts";

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
  return formatSafetensors("writeSafetensors", tensors, metadata);
}

/** Writes a file as `writeSafetensors` does; messages name `op`. */
export function formatSafetensors(
  op: string,
  tensors: Parameters<typeof writeSafetensors>[0],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  checkEach(op, { metadata }, isPlainObject, "texts by name");
  const isObject = typeof tensors === "object" && tensors !== null;
  checkEach(op, { tensors }, () => isObject, "tensors by name, in an object or a Map");
  const entries = [
    ...(kindOf(tensors) === "Map"
      ? (tensors as ReadonlyMap<string, SafetensorsInput>)
      : Object.entries(tensors)),
  ] as [string, SafetensorsInput][];
  for (const [name, tensor] of entries) checkTensor(op, name, tensor);
  entries.sort(
    ([nameA, a], [nameB, b]) =>
      RANKS.indexOf(b.dtype) - RANKS.indexOf(a.dtype) || compareCodePoints(nameA, nameB),
  );
  const header = new TextEncoder().encode(headerText(op, entries, metadata));
  const start = Math.ceil((8 + header.length) / ALIGNMENT) * ALIGNMENT;
  if (start - 8 > MAX_HEADER_BYTES) {
    const given = `${op}: header of ${start - 8} bytes`;
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
  op: string,
  entries: readonly [string, SafetensorsInput][],
  metadata: Readonly<Record<string, string>>,
): string {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) {
    for (const [key, text] of Object.entries(metadata)) checkText(op, key, text);
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

function checkTensor(op: string, name: string, given: SafetensorsInput): void {
  const label = `tensor ${quote(name)}`;
  const tensor = `${op}: ${label}`;
  const isInput = (x: unknown) => Array.isArray((x as SafetensorsInput | null | undefined)?.shape);
  checkEach(op, { [label]: given }, isInput, "an object of dtype, shape and data", DTypeError);
  const { dtype, shape, data } = given;
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
  if (!shape.every((size) => isInteger(size, 0))) {
    throw new ShapeError(`${tensor}: shape ${formatShape(shape)}; expected integers from 0`);
  }
  const expected = sizeOf(shape) * array.BYTES_PER_ELEMENT;
  if (data.byteLength !== expected) {
    const rule = `expected ${expected} for ${dtype} of shape ${formatShape(shape)}`;
    throw new ShapeError(`${tensor}: ${data.byteLength} bytes of data; ${rule}`);
  }
}

function checkText(op: string, key: string, text: unknown): void {
  if (!isText(key) || !isText(text)) {
    throw new FormatError(`${op}: metadata ${quote(key)}: ${quote(text)}; expected Unicode text`);
  }
}

/** Says whether a value is a text that UTF-8 can write: a lone surrogate it cannot. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && !/\p{Surrogate}/u.test(value);
}

// Code points sort as their UTF-8 bytes do; UTF-16 code units would not.
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a[i] === b[i]) i++;
  return i < length ? rank(a.charCodeAt(i)) - rank(b.charCodeAt(i)) : a.length - b.length;
}

// Units of surrogate pairs stand for characters above all others.
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
