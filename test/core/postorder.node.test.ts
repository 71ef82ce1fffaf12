import { expect, test } from "vitest";
import { postorder } from "../../src/core/postorder.ts";

const before: Readonly<Record<string, string[]>> = {
  a: ["b", "c"],
  b: ["d"],
  c: ["d", "e"],
  f: [],
};
const listed = (...roots: string[]) => [...postorder(roots, (item) => before[item] ?? [])].join("");

test.each([
  [[], ""],
  [["d"], "d"],
  [["a"], "dbeca"],
  [["f", "c"], "fdec"],
  [["c", "a"], "decba"],
  [["b", "d", "b"], "db"],
])("from %s each item comes once, behind those before it: %s", (roots, order) => {
  expect(listed(...roots)).toBe(order);
});

test("a chain may be longer than any stack", () => {
  const items = [...postorder([200_000], (n) => (n > 0 ? [n - 1] : []))];
  expect(items).toHaveLength(200_001);
  expect(items.slice(0, 2)).toEqual([0, 1]);
});
