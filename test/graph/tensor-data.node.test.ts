import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import { asBytes } from "../../src/core/bytes.ts";
import { DTypeError, GradusError, ShapeError, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

type Data = Parameters<typeof tensor>[0];
const given = (data: unknown, options?: object) => () => tensor(data as Data, options);

/** An object that says it is of a class, as those of a page do. */
const tagged = (kind: string) => ({ [Symbol.toStringTag]: kind });

const expected = "expected numbers, booleans, nested arrays of them or a typed array";

describe("tensor refuses", () => {
  const sparse = [1, 2, 3];
  delete sparse[1];
  const cycle: unknown[] = [];
  cycle.push(cycle);

  test.each<[string, () => unknown, string, typeof GradusError]>([
    [
      "numbers among booleans",
      given([true, 2.7, 256]),
      "tensor: 2.7 at depth 1; expected booleans only, as the first one is",
      DTypeError,
    ],
    [
      "booleans among numbers",
      given([[1], [false]]),
      "tensor: false at depth 2; expected numbers only, as the first one is",
      DTypeError,
    ],
    [
      "holes",
      given(sparse),
      "tensor: undefined at depth 1; expected numbers or booleans",
      DTypeError,
    ],
    ["null", given([1, null]), "tensor: null at depth 1; expected numbers or booleans", DTypeError],
    [
      "strings",
      given(["1"]),
      'tensor: "1" at depth 1; expected numbers or booleans. Use Number(value)',
      DTypeError,
    ],
    [
      "bigints",
      given([1n]),
      "tensor: bigint 1 at depth 1; expected numbers or booleans. Use Number(value)",
      DTypeError,
    ],
    [
      "arrays of bigints",
      given(BigInt64Array.of(1n)),
      "tensor: data is a BigInt64Array; expected Float32Array, Float64Array, Int32Array, " +
        "Uint32Array, Uint8Array, Int8Array, Uint16Array or Int16Array. Use Int32Array.from(data, Number)",
      DTypeError,
    ],
    [
      "typed arrays as rows",
      given([Float32Array.of(1), Float32Array.of(2)]),
      "tensor: a Float32Array at depth 1; expected numbers or booleans. Give one typed array of " +
        "all values, and a shape",
      DTypeError,
    ],
    [
      "tensors in an array",
      () => given([tensor(1), tensor(2)])(),
      "tensor: data holds tensors; expected numbers. Use stack(tensors)",
      DTypeError,
    ],
    ["a tensor", () => given(tensor(1))(), `tensor: data is a Tensor; ${expected}`, DTypeError],
    ["nothing", given(undefined), `tensor: data is undefined; ${expected}`, DTypeError],
    ["text", given("12"), `tensor: data is "12"; ${expected}. Use Number(value)`, DTypeError],
    [
      "a promise",
      given(Promise.resolve([1])),
      `tensor: data is Promise; ${expected}. Await it first`,
      DTypeError,
    ],
    [
      "a buffer",
      given(new ArrayBuffer(4)),
      `tensor: data is ArrayBuffer; ${expected}. Use a typed array of its numbers, such as ` +
        "new Float32Array(buffer)",
      DTypeError,
    ],
    [
      "a set",
      given(new Set([1])),
      `tensor: data is Set; ${expected}. Use [...data.values()]`,
      DTypeError,
    ],
    [
      "a canvas",
      given(tagged("HTMLCanvasElement")),
      `tensor: data is HTMLCanvasElement; ${expected}. Use fromPixels(source) of gradus/pictures`,
      DTypeError,
    ],
    [
      "pixels",
      given(tagged("ImageData")),
      `tensor: data is ImageData; ${expected}. Use fromPixels(source) of gradus/pictures`,
      DTypeError,
    ],
    [
      "a video",
      given(tagged("HTMLVideoElement")),
      `tensor: data is HTMLVideoElement; ${expected}. Use fromPixels(source) of gradus/pictures`,
      DTypeError,
    ],
    [
      "deeper nests after shallow ones",
      given([1, [2]]),
      "tensor: an array of 1 at depth 1; expected a number there, as before it",
      ShapeError,
    ],
    [
      "shallower nests after deep ones",
      given([[1], 2]),
      "tensor: 2 at depth 1; expected arrays of 1 there, as in shape [2, 1]",
      ShapeError,
    ],
    [
      "an array that holds itself",
      given(cycle),
      "tensor: arrays nested deeper than 32; expected fewer axes",
      ShapeError,
    ],
    [
      "fractions as integers",
      given([1, 1.5], { dtype: "i32" }),
      "tensor: 1.5 as value 1 of dtype i32; expected whole numbers that i32 holds. " +
        'Use cast(tensor(data), "i32") to cut them',
      DTypeError,
    ],
    [
      "NaN as an integer",
      given(Float32Array.of(Number.NaN), { dtype: "u32" }),
      "tensor: NaN as value 0 of dtype u32; expected whole numbers that u32 holds. " +
        'Use cast(tensor(data), "u32") to cut them',
      DTypeError,
    ],
    [
      "what a byte does not hold",
      given([256], { dtype: "u8" }),
      "tensor: 256 as value 0 of dtype u8; expected whole numbers that u8 holds",
      DTypeError,
    ],
    [
      "a shape that is no array",
      given([1], { shape: 1 }),
      "tensor: shape 1; expected an array of non-negative integers",
      ShapeError,
    ],
  ])("%s", (_, call, message, type) => {
    expect(call).toThrow(new type(message));
  });
});

test("integer dtypes take whole numbers of any kind, up to their bounds", async () => {
  const bounds = Float64Array.of(-(2 ** 31), 2 ** 31 - 1, -0);
  expect([...(await tensor(bounds, { dtype: "i32" }).data())]).toEqual([
    -(2 ** 31),
    2 ** 31 - 1,
    0,
  ]);
  expect(await tensor([0, 2 ** 32 - 1], { dtype: "u32" }).toArray()).toEqual([0, 2 ** 32 - 1]);
});

test.each([
  [255, ["f32", "f64", "bool", "i32", "u32", "u8"]],
  [256, ["f32", "f64", "bool", "i32", "u32"]],
  [-1, ["f32", "f64", "bool", "i32"]],
  [2 ** 31, ["f32", "f64", "bool", "u32"]],
  [2 ** 32, ["f32", "f64", "bool"]],
  [0.5, ["f32", "f64", "bool"]],
])("%d is taken by the dtypes that do not change it", (value, dtypes) => {
  const taken = (["f32", "f64", "bool", "i32", "u32", "u8"] as const).filter((dtype) => {
    try {
      return tensor(value, { dtype }).dtype === dtype;
    } catch (error) {
      expect(error).toBeInstanceOf(DTypeError);
      return false;
    }
  });
  expect(taken).toEqual(dtypes);
});

test("arrays whose buffer was transferred are refused, empty ones are not", () => {
  const data = Float32Array.of(1, 2);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  const says = (what: string, op = "tensor") =>
    `${op}: a ${what} whose buffer was transferred; expected one that is still here. ` +
    "Copy it before postMessage or transfer";
  expect(given(data)).toThrow(new GradusError(says("Float32Array")));
  expect(tensor(new Float32Array(0)).shape).toEqual([0]);
  expect(() => asBytes("read", data.buffer)).toThrow(new GradusError(says("ArrayBuffer", "read")));
});

test("f16 takes numbers of any kind, and the array that engines may have for it", async () => {
  const given = [0.1, 65520, 7];
  const expected = Float32Array.of(0.0999755859375, Number.POSITIVE_INFINITY, 7);
  for (const data of [given, Float32Array.from(given), Float64Array.from(given)]) {
    expect(await tensor(data, { dtype: "f16" }).data()).toEqual(expected);
  }
  expect(await tensor(Uint16Array.of(1, 2), { dtype: "f16" }).toArray()).toEqual([1, 2]);
  expect(await tensor([true, false], { dtype: "f16" }).toArray()).toEqual([1, 0]);
  // What Float16Array is to the engine: numbers, under its name.
  class Halves extends Float32Array {
    override get [Symbol.toStringTag](): never {
      return "Float16Array" as never;
    }
  }
  const own = tensor(Halves.from(given));
  expect([own.dtype, await own.data()]).toEqual(["f16", expected]);
  expect(own.preview).toBe("Tensor([3], f16, cpu) [0.1, Infinity, 7]");
});

test("arrays and buffers of another realm are taken", async () => {
  const realm = (code: string): Data => runInNewContext(code);
  expect(await tensor(realm("[[1, 2], [3, 4]]")).toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(tensor(realm("Float32Array.of(1, 2)")).dtype).toBe("f32");
  expect(tensor(realm("Uint8ClampedArray.of(1, 2)")).dtype).toBe("u8");
  expect(await tensor(realm("Int32Array.of(-1)")).data()).toEqual(Int32Array.of(-1));
  const bytes = runInNewContext("Uint8Array.of(7, 8).buffer") as ArrayBuffer;
  expect([...asBytes("read", bytes)]).toEqual([7, 8]);
  expect([...asBytes("read", runInNewContext("Uint8Array.of(7)"))]).toEqual([7]);
});

test("src/ never asks for a built-in class by instanceof, which fails for those of other realms", () => {
  const root = join(import.meta.dirname, "../../src");
  const BUILT_IN =
    /instanceof ((Float|Int|Uint|Big)\w+Array|(Shared)?Array\w*|DataView|Map|Set|Weak\w+|Promise|Date|RegExp|Object|Function|Blob|Image\w*|HTML\w+)\b/;
  const lines = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .map((x) => `${file}: ${x}`),
    );
  expect(lines.length).toBeGreaterThan(10_000);
  expect(lines.filter((line) => BUILT_IN.test(line))).toEqual([]);
});
