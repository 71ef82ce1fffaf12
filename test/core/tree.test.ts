import fc from "fast-check";
import { expect, test } from "vitest";
import { allPartsOf, mapTree, type Open, partsOf, walk } from "../../src/core/tree.ts";

/** The leaves of a tree and the ways to them. */
function listed(tree: unknown, open: Open = partsOf): [string, unknown][] {
  const found: [string, unknown][] = [];
  walk(tree, open, (leaf, { path }) => found.push([path.join("."), leaf]));
  return found;
}

class Layer {
  weight = 1;
}

test("lists leaves with the names that lead there, in the order of insertion", () => {
  const tree = { hidden: { weight: 1, bias: 2 }, layers: [{ bias: 3 }, [4, []], {}], a: 5 };
  expect(listed(tree)).toEqual([
    ["hidden.weight", 1],
    ["hidden.bias", 2],
    ["layers.0.bias", 3],
    ["layers.1.0", 4],
    ["a", 5],
  ]);
  expect(listed(7)).toEqual([["", 7]]);
});

test("what is no array or plain object is a leaf, unless it is opened", () => {
  const values = [null, undefined, new Layer(), new Float32Array(2), new Map(), () => 1, "text"];
  expect(listed(values).map(([, leaf]) => leaf)).toEqual(values);
  const pairs: Open = (value) => {
    return Array.isArray(value) && value.length === 2 ? null : partsOf(value);
  };
  expect(listed({ pair: [1, 2], list: [[3, 4]] }, pairs)).toEqual([
    ["pair", [1, 2]],
    ["list.0", [3, 4]],
  ]);
});

test("all parts are those of Maps, Sets and any object, not of typed arrays", () => {
  const key = { k: 1 };
  const tree = [new Map<unknown, unknown>([[key, 2]]), new Set([3, [4]]), new Layer()];
  expect(listed([...tree, new Float32Array(2)], allPartsOf).map(([, leaf]) => leaf)).toEqual([
    1,
    2,
    3,
    4,
    1,
    new Float32Array(2),
  ]);
});

test("mapTree builds the like with new containers", () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, fc.double(), tie("list"), tie("record")),
    list: fc.array(tie("tree"), { maxLength: 4 }),
    record: fc.dictionary(fc.string({ maxLength: 3 }), tie("tree"), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(tree, (given) => {
      const count = listed(given).length;
      let seen = 0;
      const copy = mapTree(given, partsOf, (leaf) => {
        seen++;
        return leaf;
      });
      expect(copy).toStrictEqual(given);
      expect(seen).toBe(count);
      if (partsOf(given)) expect(copy).not.toBe(given);
    }),
    { numRuns: 100 },
  );
});

test("mapTree keeps prototypes, and a key named __proto__ is a key", () => {
  const open: Open = (value) => {
    return value instanceof Layer ? Object.entries(value) : partsOf(value);
  };
  const copy = mapTree([new Layer(), Object.create(null)], open, (leaf) => (leaf as number) + 1);
  expect(copy[0]).toBeInstanceOf(Layer);
  expect(copy[0].weight).toBe(2);
  expect(Object.getPrototypeOf(copy[1])).toBe(null);
  const odd = mapTree(JSON.parse('{"__proto__": {"x": 1}}'), partsOf, (leaf) => leaf);
  expect(Object.keys(odd)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(odd)).toBe(Object.prototype);
});

test("a cycle is told, one object at two places is none", () => {
  const shared = { x: 1 };
  expect(listed([shared, shared]).map(([path]) => path)).toEqual(["0.x", "1.x"]);
  const cycles: boolean[] = [];
  const note: Open = (value, { isCycle }) => {
    cycles.push(isCycle);
    return partsOf(value);
  };
  walk([shared, [shared], shared], note, () => {});
  expect(new Set(cycles)).toEqual(new Set([false]));
  const cycle: { a: { b: unknown } } = { a: { b: 0 } };
  cycle.a.b = [cycle];
  const ends: string[] = [];
  const open: Open = (value, { path, isCycle }) => {
    if (!isCycle) return partsOf(value);
    ends.push(path.join("."));
    return null;
  };
  walk(cycle, open, () => {});
  expect(ends).toEqual(["a.b.0"]);
});

test("goes as deep as a tree goes", () => {
  let tree: unknown[] = [1];
  for (let i = 0; i < 20_000; i++) tree = [tree];
  let depth = 0;
  const copy = mapTree(tree, partsOf, (leaf, { path }) => {
    depth = path.length;
    return (leaf as number) + 1;
  });
  expect(depth).toBe(20_001);
  let inner: unknown = copy;
  while (Array.isArray(inner)) inner = inner[0];
  expect(inner).toBe(2);
});
