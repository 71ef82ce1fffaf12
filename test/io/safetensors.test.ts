import fc from "fast-check";
import { expect, test } from "vitest";
import { DTypeError, FormatError, type GradusError, ShapeError } from "../../src/core/errors.ts";
import { readSafetensors, type SafetensorsTensor } from "../../src/io/safetensors.ts";
import { SAFETENSORS_ARRAYS, type SafetensorsDType } from "../../src/io/safetensors-dtype.ts";
import { type SafetensorsInput, writeSafetensors } from "../../src/io/safetensors-write.ts";
import { safetensorsFile as file } from "../support/safetensors-file.ts";

const u8 = (name: string, begin: number, end: number) =>
  `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

test("writes the reference's bytes: strict alignment first, names sorted, header padded", () => {
  const bytes = writeSafetensors(
    {
      b: { dtype: "F32", shape: [2], data: Float32Array.of(1, -2) },
      flag: { dtype: "BOOL", shape: [], data: Uint8Array.of(1) },
      "10": { dtype: "F32", shape: [1, 1], data: Float32Array.of(0.5) },
      half: { dtype: "F16", shape: [1], data: Uint16Array.of(0x3c00) },
      n: { dtype: "I64", shape: [1], data: BigInt64Array.of(-2n) },
    },
    { format: "gradus" },
  );
  const header =
    '{"__metadata__":{"format":"gradus"},' +
    '"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
    '"10":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},' +
    '"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},' +
    '"half":{"dtype":"F16","shape":[1],"data_offsets":[20,22]},' +
    '"flag":{"dtype":"BOOL","shape":[],"data_offsets":[22,23]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8, " ");
  const data = [
    ...[0xfe, 255, 255, 255, 255, 255, 255, 255],
    ...[0, 0, 0, 0x3f],
    ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
    ...[0, 0x3c],
    1,
  ];
  expect(bytes).toEqual(file(padded, data));
});

test("an empty file holds an empty object, padded", () => {
  expect([...writeSafetensors({})]).toEqual([...file("{}      ")]);
  expect(readSafetensors(file("{}"))).toEqual({ tensors: new Map(), metadata: {} });
});

test("names sort by code point, not by UTF-16 unit", () => {
  const tensor: SafetensorsInput = { dtype: "U8", shape: [1], data: Uint8Array.of(0) };
  const names = ["\u{1f600}", "\uff5e", "ab", "a", "b"];
  const written = writeSafetensors(Object.fromEntries(names.map((name) => [name, tensor])));
  expect([...readSafetensors(written).tensors.keys()]).toEqual([
    "a",
    "ab",
    "b",
    "\uff5e",
    "\u{1f600}",
  ]);
});

test("reads data at any alignment, from a view, and shares no memory with the file", () => {
  const header = `{"x":{"dtype":"F64","shape":[1],"data_offsets":[1,9]},${u8("a", 0, 1)}}`;
  const inner = file(header, [7, 0, 0, 0, 0, 0, 0, 0, 0x40]);
  for (let shift = 0; shift < 8; shift++) {
    const outer = new Uint8Array(inner.length + shift);
    outer.set(inner, shift);
    const { tensors } = readSafetensors(outer.subarray(shift));
    outer.fill(0);
    expect([...tensors]).toEqual([
      ["a", { dtype: "U8", shape: [1], data: Uint8Array.of(7) }],
      ["x", { dtype: "F64", shape: [1], data: Float64Array.of(2) }],
    ]);
  }
  expect(readSafetensors(inner.buffer as ArrayBuffer).tensors.size).toBe(2);
});

test("takes trailing spaces, escaped names, scalars and empty tensors at one place", () => {
  const header =
    '{ "\\u0061" : {"data_offsets":[0,0],"shape":[0,9],"dtype":"F32"},' +
    '"b:\\"{":{"dtype":"I16","shape":[],"data_offsets":[0,2]},' +
    '"c":{"dtype":"U64","shape":[2,0],"data_offsets":[2,2]}}   ';
  expect([...readSafetensors(file(header, [1, 2])).tensors]).toEqual([
    ["a", { dtype: "F32", shape: [0, 9], data: new Float32Array() }],
    ['b:"{', { dtype: "I16", shape: [], data: Int16Array.of(513) }],
    ["c", { dtype: "U64", shape: [2, 0], data: new BigUint64Array() }],
  ]);
});

test("__proto__ is a name and a metadata key like any other", () => {
  const tensor: SafetensorsTensor = { dtype: "U8", shape: [1], data: Uint8Array.of(3) };
  const metadata = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
  const written = writeSafetensors(new Map([["__proto__", tensor]]), metadata);
  const read = readSafetensors(written);
  expect([...read.tensors]).toEqual([["__proto__", tensor]]);
  expect(Object.entries(read.metadata)).toEqual([["__proto__", "x"]]);
  expect(writeSafetensors(Object.fromEntries(read.tensors), metadata)).toEqual(written);
});

test("a typed array's part and raw bytes are written as they are", () => {
  const values = Float32Array.of(9, 1, 2, 9);
  const part = values.subarray(1, 3);
  const raw = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  const typed = writeSafetensors({ x: { dtype: "F32", shape: [2], data: part } });
  expect(writeSafetensors({ x: { dtype: "F32", shape: [2], data: raw } })).toEqual(typed);
  expect(readSafetensors(typed).tensors.get("x")?.data).toEqual(Float32Array.of(1, 2));
});

const dtypes = Object.keys(SAFETENSORS_ARRAYS) as SafetensorsDType[];
const tensors = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    bytes: fc.uint8Array({ minLength: 216, maxLength: 216 }),
  })
  .map(({ dtype, shape, bytes }): SafetensorsInput => {
    const size = shape.reduce((product, n) => product * n, 1);
    const length = size * SAFETENSORS_ARRAYS[dtype].BYTES_PER_ELEMENT;
    return { dtype, shape, data: bytes.slice(0, length) };
  });
const names = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("__proto__", "constructor", "0", "1", ""),
);

test("what is written reads back, in aligned and sorted form that writes the same bytes", () => {
  const files = fc.dictionary(names, tensors, { maxKeys: 6 });
  const texts = fc.dictionary(names, fc.string({ unit: "binary" }), { maxKeys: 3 });
  fc.assert(
    fc.property(files, texts, (given, metadata) => {
      const bytes = writeSafetensors(given, metadata);
      const read = readSafetensors(bytes);
      expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      expect([...read.tensors.keys()].sort()).toEqual(Object.keys(given).sort());
      for (const [name, { dtype, shape, data }] of read.tensors) {
        const original = Object.getOwnPropertyDescriptor(given, name)?.value as SafetensorsInput;
        expect({ dtype, shape }).toEqual({ dtype: original.dtype, shape: original.shape });
        expect(data).toBeInstanceOf(SAFETENSORS_ARRAYS[dtype]);
        expect(new Uint8Array(data.buffer)).toEqual(original.data);
      }
      expect(writeSafetensors(read.tensors, read.metadata)).toEqual(bytes);
    }),
    { numRuns: 150 },
  );
});

test("a file cut anywhere is rejected as a format error", () => {
  const bytes = writeSafetensors({ x: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) } });
  for (let length = 0; length < bytes.length; length++) {
    expect(() => readSafetensors(bytes.subarray(0, length))).toThrow(FormatError);
  }
});

const known = dtypes.join(", ");

test.each<[string, Uint8Array, string]>([
  ["no length", Uint8Array.of(1, 2, 3), "3 bytes; expected at least 8"],
  ["a length cut short", new Uint8Array(7), "7 bytes; expected at least 8"],
  [
    "nothing but a length",
    new Uint8Array(8),
    "header: first byte is not {; expected a JSON object",
  ],
  [
    "the longest header, which is not there",
    file("{}", [], 100_000_000n),
    "header of 100000000 bytes; expected at most the 2 that follow",
  ],
  [
    "a huge header",
    file("{}", [], 100_000_001n),
    "header of 100000001 bytes; expected at most 100000000",
  ],
  [
    "the greatest length",
    file("{}", [], 2n ** 64n - 1n),
    "header of 18446744073709551615 bytes; expected at most 100000000",
  ],
  [
    "a length past the end",
    file("{}", [], 3n),
    "header of 3 bytes; expected at most the 2 that follow",
  ],
  ["an empty header", file(""), "header: first byte is not {; expected a JSON object"],
  ["leading space", file(" {}"), "header: first byte is not {; expected a JSON object"],
  ["an array", file("[]"), "header: first byte is not {; expected a JSON object"],
  ["a byte order mark", file("\ufeff{}"), "header: first byte is not {; expected a JSON object"],
  [
    "bytes that are not UTF-8",
    file(Uint8Array.of(0x7b, 0xff, 0x7d)),
    "header: bytes are not UTF-8; expected UTF-8",
  ],
  [
    "a newline after the object",
    file("{}\n"),
    "header: more after the object; expected only spaces",
  ],
  ["zeros after the object", file("{}\0"), "header: more after the object; expected only spaces"],
  [
    "a name twice",
    file(`{${u8("a", 0, 1)},${u8("a", 1, 2)}}`, [1, 2]),
    'header: key "a" comes twice; expected each key once',
  ],
  [
    "a name twice, once escaped",
    file(`{${u8("a", 0, 1)},${u8("\\u0061", 1, 2)}}`, [1, 2]),
    'header: key "a" comes twice; expected each key once',
  ],
  [
    "a field twice",
    file('{"a":{"dtype":"U8","shape":[1],"shape" :[0],"data_offsets":[0,0]}}'),
    'header: key "shape" comes twice; expected each key once',
  ],
  [
    "a name twice in an object that is not read",
    file('{"a":{"dtype":"U8","shape":[{"b":1,"b":2}],"data_offsets":[0,0]}}'),
    'header: key "b" comes twice; expected each key once',
  ],
  [
    "__proto__ twice",
    file(`{${u8("__proto__", 0, 1)},${u8("__proto__", 1, 2)}}`, [1, 2]),
    'header: key "__proto__" comes twice; expected each key once',
  ],
  [
    "a lone surrogate",
    file(`{${u8("\\ud800", 0, 1)}}`, [1]),
    'header: key "\\ud800" is not Unicode text; expected whole code points',
  ],
  [
    "a lone surrogate in a text",
    file('{"__metadata__":{"note":"\\udfff"}}', []),
    'header: string "\\udfff" is not Unicode text; expected whole code points',
  ],
  [
    "a fraction",
    file('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', [1]),
    'header: a number with "."; expected non-negative integers in plain digits',
  ],
  [
    "an exponent",
    file('{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', [1]),
    'header: a number with "e"; expected non-negative integers in plain digits',
  ],
  [
    "a negative size",
    file('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', [1]),
    'header: a number with "-"; expected non-negative integers in plain digits',
  ],
  ["metadata that is a list", file('{"__metadata__":[]}'), "__metadata__ []; expected an object"],
  ["metadata that is null", file('{"__metadata__":null}'), "__metadata__ null; expected an object"],
  [
    "metadata that is a number",
    file('{"__metadata__":{"a":1}}'),
    '__metadata__ "a": 1; expected a string',
  ],
  [
    "an entry that is no object",
    file('{"a":[1]}'),
    'tensor "a": [1]; expected { dtype, shape, data_offsets }',
  ],
  [
    "a missing field",
    file('{"a":{"dtype":"U8","shape":[]}}'),
    'tensor "a": {"dtype":"U8","shape":[]}; expected { dtype, shape, data_offsets }',
  ],
  [
    "an unknown field",
    file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'),
    'tensor "a": field "x"; expected { dtype, shape, data_offsets }',
  ],
  [
    "three fields, one of them another",
    file('{"a":{"dtype":"U8","shape":[0],"x":1}}'),
    'tensor "a": field "x"; expected { dtype, shape, data_offsets }',
  ],
  [
    "an unknown dtype",
    file('{"a":{"dtype":"toString","shape":[0],"data_offsets":[0,0]}}'),
    `tensor "a": dtype "toString"; expected one of ${known}`,
  ],
  [
    "a list of dtypes",
    file('{"a":{"dtype":["U8"],"shape":[0],"data_offsets":[0,0]}}'),
    `tensor "a": dtype ["U8"]; expected one of ${known}`,
  ],
  [
    "a shape that is no list",
    file('{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}', [1]),
    'tensor "a": shape 1; expected an array of integers',
  ],
  [
    "a size beyond exact numbers",
    file('{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,0]}}'),
    'tensor "a": shape [9007199254740992]; expected an array of integers',
  ],
  [
    "one offset",
    file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}', [1]),
    'tensor "a": data_offsets [0]; expected [begin, end], begin ≤ end',
  ],
  [
    "offsets in reverse",
    file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}', [1]),
    'tensor "a": data_offsets [1,0]; expected [begin, end], begin ≤ end',
  ],
  [
    "offsets that do not fit the shape",
    file('{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,4]}}', [0, 0, 0, 0]),
    'tensor "a": 4 bytes of data; expected 8 for F32 of shape [2, 1]',
  ],
  [
    "offsets that do not fit the shape, behind others",
    file(`{${u8("b", 0, 1)},"a":{"dtype":"U8","shape":[2],"data_offsets":[1,2]}}`, [0, 0]),
    'tensor "a": 1 bytes of data; expected 2 for U8 of shape [2]',
  ],
  [
    "a hole at the start",
    file(`{${u8("a", 1, 2)}}`, [0, 1]),
    'tensor "a": data from 1; expected data from 0, without a hole',
  ],
  [
    "a hole between",
    file(`{${u8("b", 2, 3)},${u8("a", 0, 1)}}`, [0, 1, 2]),
    'tensor "b": data from 2; expected data from 1, without a hole',
  ],
  [
    "an overlap",
    file(`{${u8("a", 0, 2)},${u8("b", 1, 3)}}`, [0, 1, 2]),
    'tensor "b": data from 1; expected data from 2, without overlap',
  ],
  [
    "two names for the same bytes",
    file(`{${u8("a", 0, 2)},${u8("b", 0, 2)}}`, [0, 1]),
    'tensor "b": data from 0; expected data from 2, without overlap',
  ],
  [
    "data past the header's",
    file(`{${u8("a", 0, 1)}}`, [0, 1]),
    "2 bytes of data; expected 1, as the header says",
  ],
  [
    "too little data",
    file(`{${u8("a", 0, 3)}}`, [0]),
    "1 bytes of data; expected 3, as the header says",
  ],
])("rejects %s", (_, bytes, message) => {
  expect(() => readSafetensors(bytes)).toThrow(new FormatError(`readSafetensors: ${message}`));
  expect(() => readSafetensors(bytes)).toThrow(FormatError);
});

test.each([
  ...[
    "{,}",
    '{"a"}',
    '{"a":}',
    "{'a':1}",
    '{"a":01}',
    "{}{}",
    '{"a":[1,]}',
    '{"__metadata__":{"a":"1",}}',
    '{"a":[1}',
  ],
  ...[
    '{"a":tru}',
    '{"a":NaN}',
    '{"a\n":1}',
    '{"\\x":1}',
    '{"\\u12":1}',
    '{"a":"}',
    '{"__metadata__":{"a":"1" "2"}}',
  ],
])("rejects %s as no JSON", (header) => {
  expect(() => readSafetensors(file(header))).toThrow(FormatError);
  expect(() => readSafetensors(file(header))).toThrow(
    /^readSafetensors: header: .*expected (JSON|only spaces)$/s,
  );
});

test.each([
  ['{"a"', "its end"],
  ['{"a', "its end"],
  ['{"a\\', "its end"],
  ["{", "its end"],
  ['{"a" 1}', '"1" at character 5'],
  ['{ "a"\t:\r\n}', '"}" at character 9'],
  ['{"a\n":1}', '"\\n" at character 3'],
  ['{"a\\\n":1}', '"\\n" at character 4'],
  ['{"a":[1 2]}', '"2" at character 8'],
  ["{1:2}", '"1" at character 1'],
  ['{"\\x":1}', 'string "\\\\x"'],
  ['{"a":tru}', "tru"],
  ['{"a":1-}', "1-"],
  ['{"a":01}', "01"],
])("rejects %j, by what it found and where", (header, found) => {
  const message = `readSafetensors: header: ${found}; expected JSON`;
  expect(() => readSafetensors(file(header))).toThrow(new FormatError(message));
});

test("names are sorted as their bytes are, and the header is padded with spaces", () => {
  const names = ["\ue000", "\u{10000}", "\uffff", "a"];
  for (let length = 0; length < 9; length++) {
    const name = "n".repeat(length);
    const bytes = { dtype: "U8", shape: [1000], data: new Uint8Array(1000) } as const;
    const file = writeSafetensors({ [name]: bytes });
    expect([...readSafetensors(file).tensors.keys()]).toEqual([name]);
  }
  const none = { dtype: "U8", shape: [1], data: new Uint8Array(1) } as const;
  const file = writeSafetensors(new Map(names.map((name) => [name, none])));
  expect([...readSafetensors(file).tensors.keys()]).toEqual(["a", "\ue000", "\uffff", "\u{10000}"]);
});

test("a header has eight levels at most, which are those that are open at once", () => {
  const nested = (n: number) => file(`{"a":${"[".repeat(n)}${"]".repeat(n)}}`);
  const shallow = `readSafetensors: tensor "a": ${"[".repeat(7)}${"]".repeat(7)}; expected { dtype,`;
  expect(() => readSafetensors(nested(7))).toThrow(shallow);
  expect(() => readSafetensors(nested(8))).toThrow(
    new FormatError(
      "readSafetensors: header: more than 8 levels; expected { dtype, shape, data_offsets } by name",
    ),
  );
  const wide = Array.from({ length: 20 }, (_, i) => u8(`n${i}`, i, i + 1));
  const data = wide.map((_, i) => i);
  expect(readSafetensors(file(`{${wide}}`, data)).tensors.size).toBe(20);
});

test("tensors without elements may lie where another begins", () => {
  const { tensors } = readSafetensors(
    file(`{${u8("a b", 0, 1)},${u8("none", 0, 0)},${u8("last", 1, 1)}}  `, [7]),
  );
  expect([...tensors].map(([name, { data }]) => [name, ...data])).toEqual([
    ["none"],
    ["a b", 7],
    ["last"],
  ]);
});

test("memory that was given away is told", () => {
  const bytes = file("{}");
  structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  expect(() => readSafetensors(bytes)).toThrow(/^readSafetensors: .*transferred/);
});

test("readSafetensors rejects what is no buffer", () => {
  const message = "readSafetensors: input of type object; expected Uint8Array or ArrayBuffer";
  const input = [1] as unknown as Uint8Array;
  expect(() => readSafetensors(input)).toThrow(new FormatError(message));
});

const byte: SafetensorsInput = { dtype: "U8", shape: [1], data: Uint8Array.of(1) };

test.each<[Record<string, unknown>, Record<string, unknown>, GradusError]>([
  [
    { __metadata__: byte },
    {},
    new FormatError(
      'writeSafetensors: tensor "__metadata__"; ' +
        "expected a name of Unicode text other than __metadata__",
    ),
  ],
  [
    { "\udc00": byte },
    {},
    new FormatError(
      'writeSafetensors: tensor "\\udc00"; expected a name of Unicode text other than __metadata__',
    ),
  ],
  [
    { a: { ...byte, dtype: "C64" } },
    {},
    new DTypeError(`writeSafetensors: tensor "a": dtype C64; expected one of ${known}`),
  ],
  [
    { a: { dtype: "F32", shape: [1], data: Int32Array.of(1) } },
    {},
    new DTypeError(
      'writeSafetensors: tensor "a": other data for F32; expected Float32Array or bytes',
    ),
  ],
  [
    { a: { ...byte, shape: [-1] } },
    {},
    new ShapeError('writeSafetensors: tensor "a": shape [-1]; expected integers from 0'),
  ],
  [
    { a: { dtype: "F32", shape: [2], data: Float32Array.of(1) } },
    {},
    new ShapeError(
      'writeSafetensors: tensor "a": 4 bytes of data; expected 8 for F32 of shape [2]',
    ),
  ],
  [
    {},
    { epoch: 3 },
    new FormatError('writeSafetensors: metadata "epoch": 3; expected Unicode text'),
  ],
])("writeSafetensors rejects %o with metadata %o", (given, metadata, error) => {
  const write = () =>
    writeSafetensors(given as Record<string, SafetensorsInput>, metadata as Record<string, string>);
  expect(write).toThrow(error);
  expect(write).toThrow(error.constructor as typeof Error);
});
