import { asBytes, copyBytes } from "../core/bytes.ts";
import { checkEach } from "../core/check.ts";
import { DTypeError, FormatError, ShapeError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { formatShape, sizeOf } from "../core/shape.ts";

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};

const CODES = { u8: 0x08, i8: 0x09, i16: 0x0b, i32: 0x0c, f32: 0x0d, f64: 0x0e } satisfies Record<
  IdxDType,
  number
>;

/** Element types that an IDX file can hold. */
export type IdxDType = keyof typeof ARRAYS;

/** An array as an IDX file holds it: row-major, with one size an axis and at least one axis. */
export type IdxArray = {
  [D in IdxDType]: { shape: number[]; dtype: D; data: InstanceType<(typeof ARRAYS)[D]> };
}[IdxDType];

/**
 * Reads an uncompressed IDX file (the format of MNIST) into a typed array of its own.
 *
 * Layout: two zero bytes, a type code, the number of axes, each axis's size as a big-endian u32,
 * then the elements, big-endian and row-major. Source: Yann LeCun, "The MNIST database of
 * handwritten digits". Throws `FormatError` for every file that differs from it.
 */
export function readIdx(input: Uint8Array | ArrayBuffer): IdxArray {
  return parseIdx("readIdx", input);
}

/** Reads a file as `readIdx` does; messages name `op`. */
export function parseIdx(op: string, input: Uint8Array | ArrayBuffer): IdxArray {
  const bytes = asBytes(op, input);
  const { dtype, rank } = readMagic(op, bytes);
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw new FormatError(
      `${op}: ${bytes.length} bytes; expected a header of ${start} bytes for ${rank} axes`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = ARRAYS[dtype].BYTES_PER_ELEMENT;
  const expected = sizeOf(shape) * size;
  if (bytes.length - start !== expected) {
    throw new FormatError(
      `${op}: ${bytes.length - start} bytes of data; ` +
        `expected ${expected} for ${dtype} of shape ${formatShape(shape)}`,
    );
  }
  const copy = copyBytes(bytes, start, bytes.length);
  reverseElements(copy, size);
  return { shape, dtype, data: new ARRAYS[dtype](copy.buffer) } as IdxArray;
}

/**
 * Writes an array as an IDX file; throws `DTypeError` if the data is not the dtype's typed array,
 * `ShapeError` if the shape has no axis, more than 255, or does not hold the data.
 */
export function writeIdx(array: IdxArray): Uint8Array<ArrayBuffer> {
  const isObject = typeof array === "object" && array !== null;
  checkEach("writeIdx", { array }, () => isObject, "an object of shape, dtype and data");
  checkArray(array);
  const { shape, dtype, data } = array;
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(2, CODES[dtype]);
  view.setUint8(3, shape.length);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  reverseElements(bytes.subarray(start), data.BYTES_PER_ELEMENT);
  return bytes;
}

function readMagic(op: string, bytes: Uint8Array): { dtype: IdxDType; rank: number } {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new FormatError(`${op}: a gzip file; expected an uncompressed file. Decompress first`);
  }
  if (bytes.length < 4) {
    throw new FormatError(`${op}: ${bytes.length} bytes; expected a header of at least 4 bytes`);
  }
  const [zero0, zero1, code, rank] = bytes;
  if (zero0 !== 0 || zero1 !== 0) {
    throw new FormatError(`${op}: first bytes ${hex(zero0)} ${hex(zero1)}; expected 00 00`);
  }
  const dtypes = Object.keys(CODES) as IdxDType[];
  const dtype = dtypes.find((name) => CODES[name] === code);
  if (!dtype) {
    const known = dtypes.map((name) => `${hex(CODES[name])} (${name})`).join(", ");
    throw new FormatError(`${op}: type code ${hex(code)}; expected one of ${known}`);
  }
  if (rank === 0) throw new FormatError(`${op}: 0 axes; expected at least 1`);
  return { dtype, rank };
}

function checkArray({ shape, dtype, data }: IdxArray): void {
  if (!Object.hasOwn(CODES, dtype)) {
    const known = Object.keys(CODES).join(", ");
    throw new DTypeError(`writeIdx: dtype ${dtype}; expected one of ${known}`);
  }
  if (kindOf(data) !== ARRAYS[dtype].name) {
    throw new DTypeError(`writeIdx: other data for ${dtype}; expected ${ARRAYS[dtype].name}`);
  }
  const given = `writeIdx: shape ${formatShape(shape)}`;
  const isSize = (size: number) => Number.isInteger(size) && size >= 0 && size < 2 ** 32;
  if (shape.length < 1 || shape.length > 255 || !shape.every(isSize)) {
    throw new ShapeError(`${given}; expected 1 to 255 axes of integer sizes below 2^32`);
  }
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`${given} with ${data.length} elements; expected ${sizeOf(shape)}`);
  }
}

// Swaps between the file's big-endian order and the little-endian order of every WebGPU host.
function reverseElements(bytes: Uint8Array, size: number): void {
  for (let start = 0; size > 1 && start < bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
