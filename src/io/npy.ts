import { copyBytes, decodeUtf8 } from "../core/bytes.ts";
import type { DType, NumericArray } from "../core/dtype.ts";
import { DTypeError, FormatError } from "../core/errors.ts";
import { elementsOf } from "../core/halves.ts";
import { quote } from "../core/quote.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { contiguous } from "../core/strided.ts";
import { mapStrided } from "../core/strided-loops.ts";
import { inverse } from "../ops/reshape.ts";
import { fileDType, heldElements } from "./held.ts";
import type { SafetensorsTensor } from "./safetensors.ts";
import { SAFETENSORS_ARRAYS, type SafetensorsDType } from "./safetensors-dtype.ts";

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];

/** Bytes at whose multiples the data begins. */
const ALIGNMENT = 64;

/** NumPy's name of a file's dtype, without the order of its bytes: a letter and how many there are. */
function numpyName(own: string): string {
  return own === "BOOL" ? "b1" : `${own[0].toLowerCase()}${Number(own.slice(1)) / 8}`;
}

/** The dtypes of numbers and bools by NumPy's names. */
const BY_NAME: ReadonlyMap<string, SafetensorsDType> = new Map(
  (Object.keys(SAFETENSORS_ARRAYS) as SafetensorsDType[])
    .filter((own) => /^(BOOL|[FIU]\d+)$/.test(own))
    .map((own) => [numpyName(own), own]),
);

/** An entry of the header, which is a dictionary as Python writes it. */
const ENTRY =
  /\s*(["'])(descr|fortran_order|shape)\1\s*:\s*(?:(["'])([^"']*)\3|(True|False)|(\[[^\]]*\])|\(([\d,\sL]*)\))\s*,?/y;

/** An array of a file, row-major. */
export interface NpyArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

/**
 * Reads a file of NumPy's `.npy` format, versions 1 to 3, of either order of bytes and of axes.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Throws `FormatError`
 * for a damaged file, `DTypeError` for elements that are no real numbers.
 */
export function parseNpy(op: string, bytes: Uint8Array): NpyArray {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new FormatError(`${op}: first bytes [${bytes.subarray(0, 6)}]; expected \\x93NUMPY`);
  }
  const version = bytes[6];
  const [start, length] = version === 1 ? [10, wordAt(bytes, 8, 2)] : [12, wordAt(bytes, 8, 4)];
  if (![1, 2, 3].includes(version) || !(start + length <= bytes.length)) {
    const given = `${op}: version ${version} with a header of ${length} bytes in ${bytes.length}`;
    throw new FormatError(`${given}; expected version 1, 2 or 3 and a header within the file`);
  }
  const header = decodeUtf8(bytes.subarray(start, start + length)) ?? "";
  const { descr, order, shape } = parseHeader(op, header);
  const dtype = BY_NAME.get(descr.replace(/^[<>|=]/, ""));
  if (!dtype) {
    const rule = `expected one of ${[...BY_NAME.keys()].join(", ")}`;
    throw new DTypeError(`${op}: elements of type ${quote(descr)}; ${rule}`);
  }
  const array = SAFETENSORS_ARRAYS[dtype];
  const own = copyBytes(bytes, start + length, bytes.length);
  const expected = sizeOf(shape) * array.BYTES_PER_ELEMENT;
  if (own.length !== expected) {
    const given = `${op}: ${own.length} bytes of data`;
    throw new FormatError(`${given}; expected ${expected} for ${dtype} of ${formatShape(shape)}`);
  }
  if (descr.startsWith(">")) swapBytes(own, array.BYTES_PER_ELEMENT);
  const elements = { dtype, shape, data: new array(own.buffer) } as SafetensorsTensor;
  const held = heldElements(op, "data", elements);
  const data = order === "True" ? rowMajor(held.data, shape) : held.data;
  return { dtype: held.dtype, shape, data };
}

/** A whole number of some bytes, the lowest first; NaN beyond the file. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let i = count - 1; i >= 0; i--) word = word * 256 + (bytes[at + i] ?? Number.NaN);
  return word;
}

function parseHeader(op: string, header: string) {
  const found: Record<string, string | undefined> = {};
  const text = header.trim();
  ENTRY.lastIndex = 1;
  for (let entry = ENTRY.exec(text); entry; entry = ENTRY.exec(text)) {
    const [whole, , name, , one, order, fields, shape] = entry;
    found[name] = { descr: one ?? fields, fortran_order: order, shape }[name];
    ENTRY.lastIndex = entry.index + whole.length;
    if (/^\s*\}$/.test(text.slice(ENTRY.lastIndex, ENTRY.lastIndex + 3))) break;
  }
  const { descr, fortran_order: order, shape: sizes } = found;
  const shape = sizes?.match(/\d+/g)?.map(Number) ?? [];
  const isWhole = descr !== undefined && /^(True|False)$/.test(order ?? "") && sizes !== undefined;
  if (isWhole && shape.every(Number.isSafeInteger)) return { descr, order, shape };
  const rule = "expected a dictionary of descr, fortran_order and shape";
  throw new FormatError(`${op}: header ${quote(header.trim())}; ${rule}`);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** Puts elements whose first index runs fastest in row-major order. */
function rowMajor(data: NumericArray, shape: readonly number[]): NumericArray {
  const back = shape.map((_, axis) => shape.length - 1 - axis);
  const turned = contiguous(
    data,
    back.map((axis) => shape[axis]),
  );
  const strides = inverse(back).map((axis) => turned.strides[axis]);
  const y = data.slice();
  mapStrided((x) => x, shape, [{ data, shape, strides, offset: 0 }], y);
  return y;
}

/** Writes elements of a dtype as an `.npy` file of version 1, or 2 where the header is long. */
export function formatNpy({ dtype, shape, data: numbers }: NpyArray): Uint8Array<ArrayBuffer> {
  const data = elementsOf(numbers, dtype);
  const own = numpyName(fileDType(dtype));
  const descr = `${own.endsWith("1") ? "|" : "<"}${own}`;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const version = text.length < 0xff00 ? 1 : 2;
  const start = version === 1 ? 10 : 12;
  const end = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(end + data.byteLength);
  bytes.set([...MAGIC, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, end - start, true);
  else view.setUint32(8, end - start, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(end - start - 1)}\n`), start);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end);
  return bytes;
}
