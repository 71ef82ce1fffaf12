import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
import { FunctionBody } from "../../src/devices/webgpu/function-body.ts";
import { wgslScalars } from "../../src/devices/webgpu/scalars.ts";
import { type Program, trace } from "../../src/engine/program.ts";
import { writeQuarter } from "../../src/forms/indices.ts";
import { inside } from "../../src/forms/inside.ts";
import {
  type AxisMap,
  along,
  type IndexMap,
  type MapForm,
  writeMoved,
} from "../../src/forms/map.ts";
import { Position } from "../../src/forms/position.ts";
import { type Tensor, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { picker } from "../support/random-choice.ts";
import { randomMoves } from "../support/random-moves.ts";

beforeAll(() => testDevice());

const scalars = (dtype: DType) => wgslScalars(dtype);

/** The coordinates of an element, by the definition of row-major. */
function coordinatesOf(shape: Shape, linear: number): number[] {
  const strides = stridesOf(shape);
  return shape.map((n, axis) => Math.floor(linear / strides[axis]) % n);
}

/** The number of the element that a map gives, by its definition; none outside. */
function sourceOf(map: IndexMap, from: Shape, to: Shape, linear: number): number | null {
  if (map === "rowMajor") return linear;
  const at = coordinatesOf(to, linear);
  const places = map.map(({ start, terms, divisor }) => {
    return terms.reduce((sum, [axis, step]) => sum + step * at[axis], start) / divisor;
  });
  const isInside = places.every((c, axis) => Number.isInteger(c) && c >= 0 && c < from[axis]);
  const strides = stridesOf(from);
  return isInside ? places.reduce((sum, c, axis) => sum + c * strides[axis], 0) : null;
}

/** The values of a program of movement ops, by the definition of their maps. */
function byDefinition({ steps }: Program, source: readonly number[]): number[] {
  const values: number[][] = [];
  for (const { op, inputs, attributes, shape, dtype } of steps) {
    const types = inputs.map((input) => steps[input]);
    const form = op?.form;
    if (form?.kind !== "map") values.push([...source]);
    else {
      const maps = form.maps(types, attributes, { shape, dtype });
      const element = (_: unknown, linear: number) => {
        for (const [i, map] of maps.entries()) {
          const found = sourceOf(map, types[i].shape, shape, linear);
          if (found !== null && sizeOf(types[i].shape) > 0) return values[inputs[i]][found];
        }
        return form.outside?.(attributes) as number;
      };
      values.push(Array.from({ length: sizeOf(shape) }, element));
    }
  }
  return values[values.length - 1];
}

/** Runs what was written as JavaScript on bigints, which wrap as u32 do. */
function run(body: FunctionBody, result: string, names: string[], x: readonly number[]) {
  const code = body
    .write(`function f(${names})`, `${result}`)
    .replace(/[⟨⟩]/g, "")
    .replace(/\b(\d+)u\b/g, "$1n")
    .replace(/\b(\d+)i\b/g, "$1")
    .replace(/let (\w+) = (.*);/g, "let $1 = wrap($2);");
  const context = {
    read: (place: bigint, lane = 0) => x[Number(place) + lane],
    wrap: (v: unknown) => (typeof v === "bigint" ? BigInt.asUintN(32, v) : v),
    select: (no: unknown, yes: unknown, test: unknown) => (test ? yes : no),
  };
  return runInNewContext(`${code}; f`, context) as (...at: bigint[]) => unknown;
}

/** Writes one element, or four along an axis, of a program's result. */
function written(program: Program, at: Position<string>, four: boolean): string | null {
  const visit = (i: number, at: Position<string>): string | null => {
    const { op, inputs, attributes, shape, dtype } = program.steps[i];
    if (op?.form.kind === "map") {
      const context = { at, inputs: inputs.map((k) => program.steps[k]), attributes, scalars };
      const load = (k: number, to: Position<string>) => visit(inputs[k], to);
      return writeMoved(op.form, { ...context, y: { shape, dtype } }, load);
    }
    if (!four) return at.body.bind(`read(${at.linear})`);
    const place = writeQuarter(at.body, at.place);
    return place && `read(${place} * 4u, LANE)`;
  };
  return visit(program.steps.length - 1, at);
}

/** Some 60 of n elements. */
function some(n: number): number[] {
  const every = Math.ceil(n / 60) | 1;
  return Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every);
}

/** A random program of movement ops on [0, n). */
function drawn(seed: number): { y: Tensor; program: Program; x: number[] } {
  const pick = picker(seed, 5);
  const shape = [[24], [5, 8], [2, 3, 4], [3, 4, 2, 4], [2, 2, 3, 2, 4]][seed % 5];
  const x = Int32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1);
  const y = randomMoves(tensor(x, { shape }), pick);
  return { y, program: trace([y.node], "test").program, x: [...x] };
}

describe("an index map says the same everywhere", () => {
  const seeds = Array.from({ length: 200 }, (_, i) => i);

  test("as strides and copies of the CPU device", async () => {
    for (const seed of seeds) {
      const { y, program, x } = drawn(seed);
      const want = byDefinition(program, x);
      expect([...(await y.data())], `${seed}`).toEqual(want);
    }
  });

  test("as index arithmetic in WGSL, from coordinates and from a number", () => {
    for (const seed of seeds) {
      const { y, program, x } = drawn(seed);
      const want = byDefinition(program, x);
      const names = y.shape.map((_, axis) => `p${axis}`);
      const body = new FunctionBody();
      const at = Position.at(body, y.shape, names);
      const f = run(body, written(program, at, false) as string, names, x);
      const other = new FunctionBody();
      const linear = Position.linear(other, y.shape, "i");
      const g = run(other, written(program, linear, false) as string, ["i"], x);
      for (const i of some(want.length)) {
        const place = coordinatesOf(y.shape, i).map(BigInt);
        expect([f(...place), g(BigInt(i))], `${seed} ${place}`).toEqual([want[i], want[i]]);
      }
    }
  });

  test("as loads of four neighbours, where these lie in one vector", () => {
    let vectors = 0;
    for (const seed of seeds) {
      const { y, program, x } = drawn(seed);
      const want = byDefinition(program, x);
      const names = y.shape.map((_, axis) => `p${axis}`);
      for (const [axis, n] of y.shape.entries()) {
        if (n % 4 !== 0) continue;
        const body = new FunctionBody();
        const value = written(program, Position.four(body, y.shape, names, axis), true);
        if (value === null) continue;
        vectors++;
        for (const lane of [0, 1, 2, 3]) {
          const f = run(body, value.replaceAll("LANE", `${lane}`), names, x);
          for (const i of some(want.length)) {
            const place = coordinatesOf(y.shape, i);
            if (place[axis] % 4 !== lane) continue;
            place[axis] -= lane;
            expect(f(...place.map(BigInt)), `${seed} ${place} ${lane}`).toBe(want[i]);
          }
        }
      }
    }
    expect(vectors).toBeGreaterThan(40);
  });
});

/** Writes four lanes along the last axis of a result that one map gives of a vector of 64. */
function fours(
  shape: Shape,
  maps: readonly AxisMap[],
  outside?: () => number,
  source: Shape = maps.length === 1 ? [64] : [8, 8],
): string | null {
  const body = new FunctionBody();
  const names = shape.map((_, axis) => `p${axis}`);
  const at = Position.four(body, shape, names, shape.length - 1);
  const form: MapForm<object> = {
    kind: "map",
    maps: () => [maps],
    ...(outside && { outside, follow: inside }),
  };
  const from = { shape: source, dtype: "f32" } as const;
  const context = {
    at,
    inputs: [from],
    y: { shape, dtype: "f32" } as const,
    attributes: {},
    scalars,
  };
  const load = (_: number, to: Position<string>) => {
    const place = writeQuarter(body, to.place);
    return place && `x[${place}]`;
  };
  const value = writeMoved(form, context, load, (v) => `vec4(${v})`);
  return value && body.write("f", value).replace(/[\s\S]*return (.*);\n}/, "$1");
}

const seven = () => 7;
const outer = { start: 0, terms: [[0, 1]], divisor: 1 } as const;

test.each<[string, Shape, readonly AxisMap[], (() => number) | undefined, string | null]>([
  ["in order", [64], [along(0)], undefined, "x[t0]"],
  ["from a multiple of four", [8], [along(0, 16)], undefined, "x[(t0 + ⟨4u⟩)]"],
  ["from another place", [8], [along(0, 2)], undefined, null],
  ["backwards", [64], [along(0, 63, -1)], undefined, null],
  ["every other one", [32], [along(0, 0, 2)], undefined, null],
  ["one value", [8], [along(0, 5, 0)], undefined, null],
  [
    "between others",
    [96],
    [along(0, -16)],
    seven,
    "select(vec4(⟨7.0f⟩), x[(t0 - ⟨4u⟩)], (t1 < 16u))",
  ],
  ["between others, askew", [96], [along(0, -6)], seven, null],
  ["of rows of eight", [5, 8], [outer, along(1)], undefined, "x[(p0 * 2u + t0)]"],
  [
    "of rows where some are outside",
    [9, 8],
    [outer, along(1)],
    seven,
    "select(vec4(⟨7.0f⟩), x[(p0 * 2u + t0)], (p0 < 8u))",
  ],
  [
    "with some of four outside",
    [8],
    [{ start: 0, terms: [[0, 1]], divisor: 1 }, along(0)],
    seven,
    null,
  ],
  [
    "spread apart, askew for lanes",
    [8],
    [{ start: 16, terms: [[0, 1]], divisor: 4 }, along(0)],
    seven,
    null,
  ],
])("four neighbours lie in a vector: %s", (_, shape, maps, outside, want) => {
  expect(fours(shape, maps, outside)).toBe(want);
});

test("four neighbours lie in a vector: not at the end of a source that is no multiple of four", () => {
  expect(fours([68], [along(0)], seven, [64])).toBe("select(vec4(⟨7.0f⟩), x[t0], (t0 < 16u))");
  expect(fours([68], [along(0)], seven, [62])).toBe(null);
});
