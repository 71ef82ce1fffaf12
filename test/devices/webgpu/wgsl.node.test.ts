import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Shape } from "../../../src/core/shape.ts";
import { sizeOf, stridesOf } from "../../../src/core/shape.ts";
import { FunctionBody } from "../../../src/devices/webgpu/function-body.ts";
import { Position } from "../../../src/forms/position.ts";
import { literal, wgslType } from "../../../src/forms/wgsl.ts";

/** Runs what was written as JavaScript on bigints, which divide as u32 do. */
function run(body: FunctionBody, results: readonly string[], values: readonly number[]): number[] {
  const names = values.map((_, i) => `i${i}`);
  const code = body.write(`function f(${names})`, `[${results}]`).replace(/\b(\d+)u\b/g, "$1n");
  return Array.from(runInNewContext(`${code}; f(${values.map((x) => `${x}n`)})`), Number);
}

/** The coordinates of an element, by the definition of row-major. */
function coordinatesOf(shape: Shape, linear: number): number[] {
  const strides = stridesOf(shape);
  return shape.map((n, axis) => Math.floor(linear / strides[axis]) % n);
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
/** A shape, another one of as many elements, and the number of one of them. */
const places = fc
  .tuple(shapes, fc.integer({ min: 0, max: 3 }), fc.nat({ max: 2 }), fc.nat())
  .map(([shape, axis, kind, n]) => {
    const bare = shape.filter((size) => size !== 1);
    const other = [bare, [...bare].reverse(), [sizeOf(shape)]][kind];
    other.splice(Math.min(axis, other.length), 0, 1);
    return { shape, other, place: n % sizeOf(shape) };
  });

describe("a position", () => {
  test("given by its number has the coordinates of that element", () => {
    fc.assert(
      fc.property(places, ({ shape, place }) => {
        const body = new FunctionBody();
        const { coordinates, linear } = Position.linear(body, shape, "i0");
        expect(linear).toBe(sizeOf(shape) === 1 ? "0u" : "i0");
        expect(run(body, coordinates, [place])).toEqual(coordinatesOf(shape, place));
      }),
    );
  });

  test("given by its coordinates has the number of that element", () => {
    fc.assert(
      fc.property(places, ({ shape, place }) => {
        const body = new FunctionBody();
        const names = shape.map((_, axis) => `i${axis}`);
        const position = Position.at(body, shape, names);
        expect(position.coordinates).toEqual(
          names.map((name, i) => (shape[i] === 1 ? "0u" : name)),
        );
        expect(run(body, [position.linear], coordinatesOf(shape, place))).toEqual([place]);
      }),
    );
  });

  test("is that of the same element in another shape of its size", () => {
    fc.assert(
      fc.property(places, fc.boolean(), ({ shape, other, place }, isLinear) => {
        const body = new FunctionBody();
        const names = shape.map((_, axis) => `i${axis}`);
        const position = isLinear
          ? Position.linear(body, shape, "i0")
          : Position.at(body, shape, names);
        const { coordinates, linear, shape: found } = position.reshape(other);
        const values = isLinear ? [place] : coordinatesOf(shape, place);
        expect(found).toEqual(other);
        const want = [place, ...coordinatesOf(other, place)];
        expect(run(body, [linear, ...coordinates], values)).toEqual(want);
      }),
    );
  });

  test("is written with no more than it takes", () => {
    const body = new FunctionBody();
    const position = Position.linear(body, [1, 5, 1, 7], "i0");
    expect(position.coordinates).toEqual(["0u", "t0", "0u", "t1"]);
    expect(position.reshape([5, 7, 1]).coordinates).toEqual(["t0", "t1", "0u"]);
    expect(Position.at(body, [5, 7], ["a", "b"]).reshape([5, 1, 7]).coordinates).toEqual([
      "a",
      "0u",
      "b",
    ]);
    expect(Position.at(body, [1, 7], ["0u", "b"]).linear).toBe("b");
    expect(Position.at(body, [4, 1], ["a", "b"]).linear).toBe("a");
    expect(Position.at(body, [2, 3], ["a", "b"]).linear).toBe("t2");
    expect(Position.linear(body, [9], "i0").reshape([3, 3]).linear).toBe("i0");
    expect(body.write("f")).toBe(
      [
        "f {",
        "  let t0 = (i0 * 18725u) >> 17u;",
        "  let t1 = (i0 - t0 * 7u);",
        "  let t2 = (a * 3u + b);",
        "}",
      ].join("\n"),
    );
  });

  test("keeps the coordinates of axes that are neither split nor joined", () => {
    const body = new FunctionBody();
    const at = Position.at(body, [5, 6, 7, 8], ["a", "b", "c", "d"]);
    expect(at.reshape([5, 2, 3, 56]).coordinates).toEqual(["a", "t0", "t1", "t2"]);
    expect(at.reshape([1, 30, 7, 2, 4]).coordinates).toEqual(["0u", "t3", "c", "t4", "t5"]);
    expect(body.write("f")).toBe(
      [
        "f {",
        "  let t0 = (b * 10923u) >> 15u;",
        "  let t1 = (b - t0 * 3u);",
        "  let t2 = (d + c * 8u);",
        "  let t3 = (b + a * 6u);",
        "  let t4 = d >> 2u;",
        "  let t5 = (d - t4 * 4u);",
        "}",
      ].join("\n"),
    );
  });

  test("is split and put together again without a division", () => {
    const body = new FunctionBody();
    const at = Position.at(body, [6, 20], ["a", "b"]).reshape([2, 3, 5, 4]);
    expect(at.reshape([120]).linear).toBe("t0");
    expect(at.reshape([6, 20]).coordinates).toEqual(["a", "b"]);
    expect(body.write("f")).toBe("f {\n  let t0 = (b + a * 20u);\n}");
  });

  test("has a key that equal ones share", () => {
    const body = new FunctionBody();
    const [a, b] = [Position.linear(body, [2, 3], "i0"), Position.at(body, [2, 3], ["a", "b"])];
    expect(a.key).not.toBe(b.key);
    for (const at of [a, b]) expect(at.reshape([6]).reshape([2, 3]).key).toBe(at.key);
    expect(Position.at(body, [3, 2], ["b", "a"]).key).not.toBe(b.key);
  });
});

test.each([
  [1, "bool", "true"],
  [0, "bool", "false"],
  [-5, "i32", "-5i"],
  [-2147483648, "i32", "(-2147483647i - 1i)"],
  [4294967295, "u32", "4294967295u"],
  [255, "u8", "255u"],
  [2, "f32", "2.0f"],
  [-2, "f32", "(-2.0f)"],
  [0, "f32", "0.0f"],
  [-0, "f32", "bits_to_f32(0x80000000u)"],
  [0.1, "f32", "0.10000000149011612f"],
  [1e-10, "f32", "1.000000013351432e-10f"],
  [2 ** 100, "f32", "1.2676506002282294e+30f"],
  [-0.5, "f64", "(-0.5f)"],
  [1e39, "f32", "bits_to_f32(0x7f800000u)"],
  [-Infinity, "f32", "bits_to_f32(0xff800000u)"],
  [NaN, "f32", "bits_to_f32(0x7fc00000u)"],
] as const)("%d as %s is written %s", (value, dtype, text) => {
  expect(literal(value, dtype)).toBe(text);
});

test("the types of elements are those of WGSL", () => {
  const dtypes = ["f32", "f64", "i32", "u32", "u8", "bool"] as const;
  expect(dtypes.map(wgslType)).toEqual(["f32", "f32", "i32", "u32", "u32", "bool"]);
});
