import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { DTYPE_NAMES, DTYPES, is, isHalf } from "../../src/core/dtype.ts";
import { DTypeError, FormatError, GradusError } from "../../src/core/errors.ts";
import { elementsOf, numbersIn } from "../../src/core/halves.ts";
import { init } from "../../src/init.ts";
import { loadState } from "../../src/io/load-state.ts";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../../src/io/numpy.ts";
import { Linear } from "../../src/nn/index.ts";
import { tensor } from "../../src/ops/creation.ts";
// Files that NumPy 2.4.6 wrote, in base64: save of arrays of a dtype, savez of x and y.
import FILES from "../fixtures/numpy.json" with { type: "json" };

beforeAll(async () => {
  await init({ device: "cpu" });
});

const file = (name: keyof typeof FILES) =>
  Uint8Array.from(atob(FILES[name]), (c) => c.charCodeAt(0));
const arange = (n: number) => Array.from({ length: n }, (_, i) => i);

test.each([
  [
    "f4",
    "f32",
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  ],
  ["f8 scalar", "f64", Math.PI],
  [">f4", "f32", [1.5, -2]],
  ["f2", "f32", [1, 65504, Number.POSITIVE_INFINITY, -0]],
  ["bool", "bool", [1, 0]],
  ["i8", "i32", [[-5], [2 ** 31 - 1]]],
  [">u2", "u16", [1, 65535]],
  ["u1 empty", "u8", []],
  [
    "F-order",
    "i32",
    arange(2).map((i) => arange(3).map((j) => arange(4).map((k) => 12 * i + 4 * j + k))),
  ],
] as const)("reads what NumPy wrote: %s", async (name, dtype, values) => {
  const x = loadNpy(file(name));
  expect(x.dtype).toBe(dtype);
  expect(await x.toArray()).toEqual(values);
});

test("elements stay as they are where the dtype is undefined", async () => {
  const options = { dtype: undefined, device: undefined };
  expect(loadNpy(file("bool"), options).dtype).toBe("bool");
  const archive = await saveNpz(new Map([["x", tensor([true])]]));
  expect((await loadNpz(archive, options)).get("x")?.dtype).toBe("bool");
});

test("elements become another dtype on request", async () => {
  const x = loadNpy(file("f8 scalar"), { dtype: "f32" });
  expect(x.dtype).toBe("f32");
  expect(await x.item()).toBe(Math.fround(Math.PI));
});

test("halves are kept as such on request, and written as NumPy does", async () => {
  const bytes = file("f2");
  const x = loadNpy(bytes, { dtype: "f16" });
  expect(x.dtype).toBe("f16");
  expect(await x.toArray()).toEqual([1, 65504, Number.POSITIVE_INFINITY, -0]);
  expect(await saveNpy(x)).toEqual(bytes);
  const archive = await saveNpz(new Map([["x", x]]));
  expect(await (await loadNpz(archive)).get("x")?.toArray()).toEqual(await x.toArray());
});

test("writes the bytes that NumPy writes", async () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(await saveNpy(x)).toEqual(file("f4"));
  expect(await saveNpy(tensor([true, false]))).toEqual(file("bool"));
  expect(await saveNpy(tensor(new Uint8Array(), { shape: [0, 3] }))).toEqual(file("u1 empty"));
  expect(await saveNpy(tensor(Float64Array.of(Math.PI), { shape: [] }))).toEqual(file("f8 scalar"));
});

test.each(["savez", "savez_compressed"] as const)("reads an archive of %s", async (name) => {
  const tensors = await loadNpz(file(name));
  expect([...tensors.keys()]).toEqual(["x", "y"]);
  const [x, y] = await Promise.all([...tensors.values()].map((each) => each.toArray()));
  if (name === "savez") expect([x, y]).toEqual([[1, 2], [[1]]]);
  else expect([x, y]).toEqual([new Array(64).fill(0), [0, 1, 2]]);
});

test.each([false, true])(
  "a model goes into an archive and back, deflated: %s",
  async (compressed) => {
    const model = new Linear(30, 40, { seed: 1 });
    const bytes = await saveNpz(model, { compressed });
    expect(await saveNpz(model, { compressed })).toEqual(bytes);
    const other = new Linear(30, 40, { seed: 2 });
    loadState(other, await loadNpz(bytes));
    expect(await other.weight.toArray()).toEqual(await model.weight.toArray());
  },
);

test("any shape and dtype comes back with its bits", async () => {
  const arrays = fc
    .tuple(fc.constantFrom(...DTYPE_NAMES), fc.array(fc.nat(3), { maxLength: 5 }))
    .chain(([dtype, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const { min, max } = DTYPES[dtype];
      const element = is(dtype, "float") ? fc.float() : fc.integer({ min, max });
      return fc.tuple(
        fc.constant(dtype),
        fc.constant(shape),
        fc.array(element, { minLength: size, maxLength: size }),
      );
    });
  await fc.assert(
    fc.asyncProperty(arrays, async ([dtype, shape, values]) => {
      const data = DTYPES[dtype].array.from(values);
      const x = tensor(data, { shape, dtype });
      const options = isHalf(dtype) ? { dtype } : {}; // else they are read as f32
      const y = loadNpy(await saveNpy(x), options);
      expect([y.dtype, y.shape]).toEqual([dtype, shape]);
      expect(await y.data()).toEqual(numbersIn(elementsOf(data, dtype), dtype));
      const archive = await loadNpz(await saveNpz(new Map([["a/b", x]]), { compressed: true }));
      expect(await archive.get("a/b")?.data()).toEqual(await y.data());
    }),
    { numRuns: 50 },
  );
});

const changed = (name: keyof typeof FILES, before: string, after: string) => {
  const text = atob(FILES[name]).replaceAll(before, after);
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
};
const DICTIONARY = "expected a dictionary of descr, fortran_order and shape";

test.each([
  [new Uint8Array(), FormatError, "loadNpy: first bytes []; expected \\x93NUMPY"],
  [
    file("f4").subarray(0, 30),
    FormatError,
    "loadNpy: version 1 with a header of 118 bytes in 30; expected version 1, 2 or 3 and a header within the file",
  ],
  [
    file("f4").subarray(0, 140),
    FormatError,
    "loadNpy: 12 bytes of data; expected 24 for F32 of [2, 3]",
  ],
  [
    changed("f4", "<f4", "<c8"),
    DTypeError,
    /^loadNpy: elements of type "<c8"; expected one of b1, u1, i1/,
  ],
  [
    changed("f4", "<f4", "|O8"),
    DTypeError,
    /^loadNpy: elements of type "\|O8"; expected one of b1, u1, i1/,
  ],
  [
    changed("f4", "'<f4'", "[('a', '<f4')]"),
    DTypeError,
    /^loadNpy: elements of type "\[\('a', '<f4'\)\]"; expected/,
  ],
  [changed("f4", "descr", "descR"), FormatError, DICTIONARY],
  [changed("f4", "(2, 3)", "[2, 3]"), FormatError, DICTIONARY],
  [
    changed("i8", "\xff\xff\xff\x7f", "\0\0\0\x80"),
    FormatError,
    /holds 2147483648 at 1; expected numbers from/,
  ],
] as const)("loadNpy refuses what is none %#", (bytes, Kind, message) => {
  expect(() => loadNpy(bytes)).toThrow(Kind);
  expect(() => loadNpy(bytes)).toThrow(message);
});

test.each([
  [new Uint8Array(30), "loadNpz: no list of files; expected a ZIP archive"],
  [
    changed("savez", "\x3f", "\x3e"),
    'loadNpz: file "x.npy" of other content than its checksum says; expected',
  ],
  [
    changed("savez_compressed", "\x9b\xec", "\xff\xff"),
    'loadNpz: file "x.npy" of other content than',
  ],
] as const)("loadNpz refuses what is none %#", async (bytes, message) => {
  await expect(loadNpz(bytes)).rejects.toThrow(FormatError);
  await expect(loadNpz(bytes)).rejects.toThrow(message);
});

test("two arrays of one name are refused", async () => {
  const message = 'loadNpz: array "y" twice; expected a name for each';
  const bytes = changed("savez", "x.npy", "y.npy");
  await expect(loadNpz(bytes)).rejects.toThrow(FormatError);
  await expect(loadNpz(bytes)).rejects.toThrow(message);
});

test.each([
  ["a lone surrogate", "\ud800", '"\\ud800"'],
  ["a number", 1 as never, "1"],
  ["too long a name", "é".repeat(2 ** 15), /"é+…;/],
])("saveNpz refuses names that an archive cannot keep: %s", async (_, name, given) => {
  const saved = saveNpz(new Map([[name, tensor([1])]]));
  await expect(saved).rejects.toThrow(FormatError);
  await expect(saved).rejects.toThrow(given);
  await expect(saved).rejects.toThrow("; expected a name of Unicode text, of at most 65531 bytes");
});

test("what is no array in an archive is passed over, and an order of bytes may be left out", async () => {
  const archive = await loadNpz(changed("savez", "x.npy", "x.txt"));
  expect([...archive.keys()]).toEqual(["y"]);
  const x = loadNpy(changed("f4", "'<f4'", "'f4' "));
  expect(await x.toArray()).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

test("an array that is a bomb is not unpacked beyond what it claims", async () => {
  const zeros = tensor(new Float32Array(1 << 20));
  const bytes = await saveNpz(new Map([["x", zeros]]), { compressed: true });
  expect(bytes.length).toBeLessThan(10_000);
  const view = new DataView(bytes.buffer);
  const line = bytes.length - 22 - 46 - "x.npy".length;
  view.setUint32(line + 24, 100, true); // claims 100 bytes
  await expect(loadNpz(bytes)).rejects.toThrow("of other content than its checksum says");
});

test("options and names that are wrong are told", async () => {
  expect(() => loadNpy(file("f4"), { type: "f32" } as never)).toThrow(GradusError);
  await expect(saveNpz(3 as never)).rejects.toThrow(
    "saveNpz: tensors 3; expected a module or a Map of tensors by name",
  );
  await expect(saveNpy(3 as never)).rejects.toThrow(GradusError);
});
