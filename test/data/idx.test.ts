import fc from "fast-check";
import { expect, test } from "vitest";
import { DTypeError, FormatError, ShapeError } from "../../src/core/errors.ts";
import { formatShape } from "../../src/core/shape.ts";
import { type IdxArray, readIdx, writeIdx } from "../../src/data/idx.ts";

const files: [IdxArray, number[]][] = [
  [
    { dtype: "u8", shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) },
    [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255],
  ],
  [
    { dtype: "i8", shape: [1, 1, 2], data: Int8Array.of(-1, 127) },
    [0, 0, 9, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 255, 127],
  ],
  [
    { dtype: "i16", shape: [2], data: Int16Array.of(-2, 258) },
    [0, 0, 11, 1, 0, 0, 0, 2, 255, 254, 1, 2],
  ],
  [
    { dtype: "i32", shape: [1], data: Int32Array.of(0x01020304) },
    [0, 0, 12, 1, 0, 0, 0, 1, 1, 2, 3, 4],
  ],
  [
    { dtype: "f32", shape: [2], data: Float32Array.of(1, -0.15625) },
    [0, 0, 13, 1, 0, 0, 0, 2, 0x3f, 0x80, 0, 0, 0xbe, 0x20, 0, 0],
  ],
  [
    { dtype: "f64", shape: [1], data: Float64Array.of(-2) },
    [0, 0, 14, 1, 0, 0, 0, 1, 0xc0, 0, 0, 0, 0, 0, 0, 0],
  ],
  [
    { dtype: "f64", shape: [0, 2 ** 32 - 1], data: new Float64Array() },
    [0, 0, 14, 2, 0, 0, 0, 0, 255, 255, 255, 255],
  ],
];

test.each(files)("reads and writes $dtype of shape $shape byte by byte", (array, bytes) => {
  expect([...writeIdx(array)]).toEqual(bytes);
  expect(readIdx(Uint8Array.from(bytes))).toEqual(array);
  expect(readIdx(Uint8Array.from(bytes).buffer)).toEqual(array);
});

test("one empty axis makes an array empty, however large the others are", () => {
  const shape = [...new Array<number>(40).fill(2 ** 32 - 1), 0];
  const array: IdxArray = { dtype: "u8", shape, data: new Uint8Array() };
  expect(readIdx(writeIdx(array))).toEqual(array);
});

test("an array may have 255 axes", () => {
  const shape = new Array<number>(255).fill(1);
  const array: IdxArray = { dtype: "i16", shape, data: Int16Array.of(-7) };
  expect(readIdx(writeIdx(array))).toEqual(array);
});

test("reads at an odd byte offset and shares no memory with the file", () => {
  const bytes = Uint8Array.of(9, 9, 9, 0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 0, 7);
  const { data } = readIdx(bytes.subarray(3));
  bytes.fill(0);
  expect(data).toEqual(Int32Array.of(7));
  const source = Int32Array.of(1, 2, 3);
  writeIdx({ dtype: "i32", shape: [2], data: source.subarray(1) });
  expect(source).toEqual(Int32Array.of(1, 2, 3));
});

test("what is written reads back", () => {
  const f64 = fc.float64Array({ minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(f64, fc.constantFrom<number[]>([6], [2, 3], [1, 6, 1]), (data, shape) => {
      const array: IdxArray = { dtype: "f64", shape, data };
      expect(readIdx(writeIdx(array))).toEqual(array);
    }),
    { numRuns: 50 },
  );
});

test.each<[string, number[], string]>([
  ["nothing", [], "readIdx: 0 bytes; expected a header of at least 4 bytes"],
  ["three bytes", [0, 0, 8], "readIdx: 3 bytes; expected a header of at least 4 bytes"],
  [
    "gzip",
    [0x1f, 0x8b, 8, 0],
    "readIdx: a gzip file; expected an uncompressed file. Decompress first",
  ],
  ["half of gzip's magic", [0x1f, 0, 8, 1], "readIdx: first bytes 1f 00; expected 00 00"],
  ["the other half", [0, 0x8b, 8, 1], "readIdx: first bytes 00 8b; expected 00 00"],
  ["a first byte", [1, 0, 8, 1], "readIdx: first bytes 01 00; expected 00 00"],
  ["another magic", [0x50, 0x4b, 3, 4], "readIdx: first bytes 50 4b; expected 00 00"],
  [
    "an unknown type",
    [0, 0, 10, 1, 0, 0, 0, 0],
    "readIdx: type code 0a; expected one of " +
      "08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32), 0e (f64)",
  ],
  ["no axis", [0, 0, 8, 0, 1], "readIdx: 0 axes; expected at least 1"],
  [
    "a cut header",
    [0, 0, 8, 2, 0, 0, 0, 2],
    "readIdx: 8 bytes; expected a header of 12 bytes for 2 axes",
  ],
  [
    "a byte too few",
    [0, 0, 11, 1, 0, 0, 0, 2, 0, 1, 0],
    "readIdx: 3 bytes of data; expected 4 for i16 of shape [2]",
  ],
  [
    "a byte too many",
    [0, 0, 8, 1, 0, 0, 0, 1, 7, 7],
    "readIdx: 2 bytes of data; expected 1 for u8 of shape [1]",
  ],
])("rejects %s", (_, bytes, message) => {
  const read = () => readIdx(Uint8Array.from(bytes));
  expect(read).toThrow(FormatError);
  expect(read).toThrow(new FormatError(message));
});

test("readIdx rejects what is no buffer", () => {
  const text = "0000" as unknown as Uint8Array;
  const message = "readIdx: input of type string; expected Uint8Array or ArrayBuffer";
  expect(() => readIdx(text)).toThrow(new FormatError(message));
});

test.each<[unknown, Error]>([
  [
    { dtype: "u16", shape: [1], data: new Uint16Array(1) },
    new DTypeError("writeIdx: dtype u16; expected one of u8, i8, i16, i32, f32, f64"),
  ],
  [
    { dtype: "f32", shape: [1], data: new Float64Array(1) },
    new DTypeError("writeIdx: other data for f32; expected Float32Array"),
  ],
  [
    { dtype: "u8", shape: [], data: new Uint8Array(1) },
    new ShapeError("writeIdx: shape []; expected 1 to 255 axes of integer sizes below 2^32"),
  ],
  [
    { dtype: "u8", shape: [1.5], data: new Uint8Array(1) },
    new ShapeError("writeIdx: shape [1.5]; expected 1 to 255 axes of integer sizes below 2^32"),
  ],
  ...[[2, -1], [-1, 2], [2 ** 32, 0], new Array<number>(256).fill(1)].map(
    (shape): [unknown, Error] => [
      { dtype: "u8", shape, data: new Uint8Array(1) },
      new ShapeError(
        `writeIdx: shape ${formatShape(shape)}; expected 1 to 255 axes of integer sizes below 2^32`,
      ),
    ],
  ),
  [
    { dtype: "u8", shape: [2, 2], data: new Uint8Array(3) },
    new ShapeError("writeIdx: shape [2, 2] with 3 elements; expected 4"),
  ],
])("writeIdx rejects %o", (array, error) => {
  const write = () => writeIdx(array as IdxArray);
  expect(write).toThrow(error);
  expect(write).toThrow(error.constructor as typeof Error);
});
