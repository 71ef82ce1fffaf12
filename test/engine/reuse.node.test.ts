import { beforeAll, expect, test } from "vitest";
import { type Fusion, Group } from "../../src/engine/fusion.ts";
import { trace } from "../../src/engine/program.ts";
import { reuse } from "../../src/engine/reuse.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { identity } from "../../src/graph/identity.ts";
import {
  add,
  init,
  matmul,
  setDefaultDevice,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";

beforeAll(async () => {
  setDefaultDevice((await init({ device: "cpu", isolated: true })).device);
});

const square = (seed: number) =>
  tensor(
    Float32Array.from({ length: 16 }, (_, i) => Math.sin(seed + i)),
    { shape: [4, 4] },
  );

/** Products of values of which each one has to wait for the one before. */
function products(count: number): Tensor[] {
  let x = square(1);
  return Array.from({ length: count }, () => {
    x = softmax(matmul(x, square(3)));
    return matmul(x, square(4));
  });
}

/** A kernel that reads what it is given, elements anywhere. */
const next = (x: Tensor) => matmul(x, square(5));

/** For each value that is written over another one: how many are written to that memory. */
function overwritten(wanted: readonly Tensor[], replaced: [Tensor, Tensor][] = []): number[] {
  const { program } = trace(
    wanted.map(({ node }) => node),
    "test",
    { replacements: replaced.map(([old, y]) => ({ original: old.node, value: y.node })) },
  );
  const { homes } = scheduleOf(simplify(program), 8);
  const counts = new Map<number, number>();
  for (const place of homes.values()) counts.set(place, (counts.get(place) ?? 1) + 1);
  return [...counts.values()];
}

const early = () => softmax(square(6));

test.each<[string, () => Tensor[], number[]]>([
  ["what nobody else reads", () => [next(add(products(1)[0], early()))], [2]],
  ["no source", () => [next(add(products(1)[0], square(7)))], []],
  [
    "no result",
    () => {
      const x = early();
      return [next(add(products(1)[0], x)), x];
    },
    [],
  ],
  ["nothing, where it is a result itself", () => [add(products(1)[0], early())], []],
  [
    "nothing that another kernel reads",
    () => {
      const x = early();
      return [next(add(products(1)[0], x)), next(x)];
    },
    [],
  ],
  [
    "nothing whose elements it reads elsewhere",
    () => [next(add(products(1)[0], transpose(early())))],
    [],
  ],
  ["nothing of another size", () => [next(add(products(1)[0], sum(early(), { axis: 0 })))], []],
  ["the sum so far, over and over", () => [next(products(4).reduce((a, b) => add(a, b)))], [4]],
])("a value is written over %s", (_, make, expected) => {
  expect(overwritten(make())).toEqual(expected);
});

test("a value is written over one for which another kernel only waits", () => {
  const old = square(8);
  const read = softmax(old); // the new state, which lies where the old one does, comes behind this
  const updates: [Tensor, Tensor][] = [[old, matmul(square(6), square(9))]];
  expect(overwritten([next(add(products(1)[0], read))], updates)).toEqual([2, 2]);
});

test.each([
  ["what its one anchor reads", "f32", [1], 1],
  ["nothing of another dtype", "i32", [1], 0],
  ["nothing, where results are stored one after the other", "f32", [1, 2], 0],
] as const)("a kernel writes over %s", (_, dtype, anchors, count) => {
  const step = { op: identity, attributes: {}, inputs: [], shape: [4], dtype: "f32" } as const;
  const program = {
    steps: [{ ...step, dtype }, step, step],
    sources: [],
    outputs: [],
    updates: [],
  };
  const group = new Group(anchors, [1, 2]);
  group.reads = new Map([[0, true]]);
  const fusion = { program, readers: () => [group] } as unknown as Fusion;
  const homes = new Map<number, number>();
  reuse(fusion, [group], homes);
  expect(homes.size).toBe(count);
});
