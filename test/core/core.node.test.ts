import { expect, test, vi } from "vitest";
import { copyBytes, decodeUtf8 } from "../../src/core/bytes.ts";
import { dispose } from "../../src/core/dispose.ts";
import { convert, DTYPES, type DType, isDType } from "../../src/core/dtype.ts";
import * as errors from "../../src/core/errors.ts";
import { Breather, nextTask } from "../../src/core/event-loop.ts";
import { formatValues } from "../../src/core/format-values.ts";
import { isPlainObject, kindOf } from "../../src/core/kind.ts";
import { OnDemand } from "../../src/core/on-demand.ts";
import { release } from "../../src/core/release.ts";
import {
  broadcastShapes,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  sizeOf,
  stridesOf,
} from "../../src/core/shape.ts";

const { GradusError, ShapeError } = errors;

test.each(Object.entries(errors))("a %s says what it is", (name, Kind) => {
  const error = new Kind("said");
  expect(error).toBeInstanceOf(GradusError);
  expect([error.name, error.message, String(error)]).toEqual([name, "said", `${name}: said`]);
});

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

test.each<[DType, number[], number[]]>([
  ["f32", [0.1, -0, nan, infinity], [Math.fround(0.1), -0, nan, infinity]],
  ["f64", [0.1, -0, nan, infinity], [0.1, -0, nan, infinity]],
  ["bool", [0, -0, 2, -0.5, nan], [0, 0, 1, 1, 1]],
  ["i32", [-1.7, 3e9, -3e9, nan, infinity], [-1, 2147483647, -2147483648, 0, 2147483647]],
  ["u32", [1.7, -1, 5e9, nan, infinity], [1, 0, 4294967295, 0, 4294967295]],
  ["u8", [1.7, -1, 255, 256, nan, infinity], [1, 0, 255, 255, 0, 255]],
  // As bits; through f32, which rounds to 2049, the last would be 2048.
  [
    "f16",
    [0.1, -0, nan, -infinity, 65520, 2049 + 1e-12],
    [11878, 32768, 32256, 64512, 31744, 26625],
  ],
])("%s converts %j", (dtype, values, expected) => {
  expect(values.map((value) => convert(value, dtype))).toEqual(expected);
});

test("names of dtypes are texts, and those of the table alone", () => {
  expect(["f32", "u8", "bool"].every(isDType)).toBe(true);
  expect(["bf16", "toString", "__proto__", ["f32"], null, 32].some(isDType)).toBe(false);
});

test("sizes and strides of shapes", () => {
  expect([sizeOf([]), sizeOf([2, 3]), sizeOf([2 ** 40, 2 ** 40, 0])]).toEqual([1, 6, 0]);
  expect([stridesOf([]), stridesOf([2, 3, 4]), stridesOf([0, 2])]).toEqual([
    [],
    [12, 4, 1],
    [2, 1],
  ]);
});

test("a shape has fewer than 2^32 elements", () => {
  const shape = [3, 1431655765]; // 2³² − 1
  expect(checkShape("op", shape)).toEqual(shape);
  expect(checkShape("op", shape)).not.toBe(shape);
  for (const wrong of [[2 ** 32], [2 ** 16, 2 ** 16], [2 ** 40, 2 ** 40]]) {
    const says = `op: shape [${wrong.join(", ")}]; expected fewer than 2^32 elements`;
    expect(() => checkShape("op", wrong)).toThrow(new ShapeError(says));
  }
  for (const [wrong, given] of [
    [[-1], "[-1]"],
    [[1.5], "[1.5]"],
    [5, "5"],
    ["12", '"12"'],
  ] as const) {
    const says = `op: shape ${given}; expected an array of non-negative integers`;
    expect(() => checkShape("op", wrong as never)).toThrow(new ShapeError(says));
  }
});

test("axes count from the end when negative, rise, and do not repeat", () => {
  expect(normalizeAxes("op", undefined, 3)).toEqual([0, 1, 2]);
  expect(normalizeAxes("op", [], 3)).toEqual([]);
  expect(normalizeAxes("op", -1, 3)).toEqual([2]);
  expect(normalizeAxes("op", [2, -3], 3)).toEqual([0, 2]);
  expect(normalizeAxes("op", [11, 2, 1], 12)).toEqual([1, 2, 11]);
  expect(() => normalizeAxes("op", [1, -2], 3)).toThrow(
    new ShapeError("op: axes [1, 1] repeat; expected each axis once"),
  );
  for (const [axis, given] of [
    [3, "3"],
    [-4, "-4"],
    [0.5, "0.5"],
    ["1", '"1"'],
  ] as const) {
    const says = `op: axis ${given}; expected an integer in [-3, 2] for rank 3`;
    expect(() => normalizeAxis("op", axis as number, 3)).toThrow(new ShapeError(says));
  }
});

test("shapes broadcast from the last axis on, an empty one against 1", () => {
  expect(broadcastShapes("op", [3, 1], [2])).toEqual([3, 2]);
  expect(broadcastShapes("op", [], [4])).toEqual([4]);
  expect(broadcastShapes("op", [0, 1], [1, 5])).toEqual([0, 5]);
  expect(() => broadcastShapes("op", [2, 3], [0])).toThrow("do not broadcast (3 vs 0)");
});

test("kinds of values, whatever realm they are from", () => {
  expect([kindOf(null), kindOf([]), kindOf(new Map())]).toEqual(["Null", "Array", "Map"]);
  expect([{}, Object.create(null)].every(isPlainObject)).toBe(true);
  const others = [null, undefined, 1, "text", [], new Map(), () => 1, new Error("x"), nextTask];
  expect(others.some(isPlainObject)).toBe(false);
  expect(isPlainObject(new OnDemand(async () => 1))).toBe(false);
});

test("release frees by Symbol.dispose or dispose, once, and leaves the rest", () => {
  const [bySymbol, byName] = [vi.fn(), vi.fn()];
  release({ [dispose]: bySymbol, dispose: byName });
  expect([bySymbol, byName].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
  const named = { dispose: byName };
  release(named);
  expect(byName.mock.contexts).toEqual([named]);
  for (const value of [null, undefined, 5, "text", {}, { dispose: true }]) release(value);
});

test("a breather waits for other tasks only where the last wait is long ago", async () => {
  const breather = new Breather();
  let passed = 0;
  const rest = async () => {
    const task = nextTask().then(() => {
      passed++;
    });
    await breather.rest();
    const seen = passed;
    await task;
    return seen;
  };
  const now = vi.spyOn(performance, "now");
  const start = performance.now();
  const at = (ms: number) => now.mockReturnValue(start + 1000 + ms);
  at(0);
  expect(await rest()).toBe(1); // waited
  at(11);
  expect(await rest()).toBe(1);
  at(12);
  expect(await rest()).toBe(3);
  at(23);
  expect(await rest()).toBe(3);
  now.mockRestore();
});

test("a module on demand is loaded when asked for, or put in place", async () => {
  const load = vi.fn(async () => "loaded");
  const module = new OnDemand(load);
  expect(load).not.toHaveBeenCalled();
  expect(module.loaded).toBe(null);
  expect(await module.get()).toBe("loaded");
  expect([await module.get(), module.loaded]).toEqual(["loaded", "loaded"]);
  module.put("given");
  expect(await module.get()).toBe("given");
  expect(load).toHaveBeenCalledTimes(1);
});

test("a module that cannot be loaded is an error of ours, and asked for again", async () => {
  const cause = new TypeError("Failed to fetch dynamically imported module: x.js");
  const load = vi.fn(async () => "loaded");
  load.mockRejectedValueOnce(cause);
  const module = new OnDemand(load);
  const message = `gradus: ${cause.message}; expected all of its scripts`;
  await expect(module.get()).rejects.toThrow(new GradusError(message, { cause }));
  expect(await module.get()).toBe("loaded");
});

test("bytes are copied into a buffer of their own, and shared ones are decoded", () => {
  const bytes = Uint8Array.from([1, 2, 3, 4]);
  const copy = copyBytes(bytes, 1, 3);
  expect([[...copy], copy.byteOffset, copy.buffer.byteLength]).toEqual([[2, 3], 0, 2]);
  expect(decodeUtf8(Uint8Array.from([0xef, 0xbb, 0xbf, 0x41]))).toBe("\ufeffA");
  expect(decodeUtf8(Uint8Array.from([0xff]))).toBe(null);
  if (typeof SharedArrayBuffer === "undefined") return;
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set([0x68, 0x69]);
  expect(decodeUtf8(shared)).toBe("hi");
});

test("values are printed in full up to a thousand, and six of an axis beside a cut one", () => {
  const rows = formatValues(new Float32Array(6 * 200), [6, 200], DTYPES.f32).split("\n");
  expect(rows).toHaveLength(6);
  expect(rows[0]).toBe("[[0. 0. 0. ... 0. 0. 0.]");
  expect(formatValues(new Float32Array(1000), [1000], DTYPES.f32)).not.toContain("...");
  expect(formatValues(new Float32Array(1001), [1001], DTYPES.f32)).toContain("...");
});

test.each([
  [[1e8, 1e8], "[1.e+08 1.e+08]"],
  [[1e-4, 1e-4], "[0.0001 0.0001]"],
  [[1, 1000], "[   1. 1000.]"],
])("%j is printed as %s", (values, text) => {
  expect(formatValues(Float64Array.from(values), [2], DTYPES.f64)).toBe(text);
});
