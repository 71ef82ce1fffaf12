import { expect, test } from "vitest";
import { DataMap, sameData } from "../../src/core/data-map.ts";

// Each differs from all others, however alike they look.
const data: unknown[] = [
  0,
  -0,
  1,
  2 ** 32,
  0.5,
  1e-12,
  Number.NaN,
  Infinity,
  -Infinity,
  "",
  "f32",
  "i32",
  "0",
  true,
  false,
  null,
  undefined,
  [],
  {},
  [0],
  [-0],
  [0, 0],
  [[0], 0],
  [0, [0]],
  [[0, 0]],
  { shape: [2, 3] },
  { shape: [3, 2] },
  { shape: [2, 3], axis: 0 },
  { axis: 0, inner: { axis: 1 } },
  { axis: 1, inner: { axis: 0 } },
  { inner: { axis: 0 }, other: { axis: 1 } },
];

test("plain data are the same where all their parts are", () => {
  const again = structuredClone(data);
  for (const [i, a] of data.entries()) {
    for (const [j, b] of again.entries()) expect(sameData(a, b), `${i}, ${j}`).toBe(i === j);
  }
  expect(sameData({ axis: 0, size: 1 }, { size: 1, axis: 0 })).toBe(true);
  const left = [{ size: 1 }, { size: 1, axis: undefined }, { axis: undefined, size: 1 }];
  for (const a of left) for (const b of left) expect(sameData(a, b)).toBe(true);
});

test("a map of plain data finds each by its like, hashes that collide among them", () => {
  const map = new DataMap<number>();
  for (const [i, key] of data.entries()) {
    expect(map.get(structuredClone(key))).toBeUndefined();
    map.set(key, i);
  }
  expect(structuredClone(data).map((key) => map.get(key))).toEqual([...data.keys()]);
});
