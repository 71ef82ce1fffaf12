import fc from "fast-check";
import { expect, expectTypeOf, test } from "vitest";
import { GradusError, ShapeError } from "../src/core/errors.ts";
import { flatten, map, unflatten } from "../src/core/tree.ts";

const isNumber = (value: unknown): value is number => typeof value === "number";

test("lists leaves with dotted paths, in the order of insertion", () => {
  const tree = {
    hidden: { weight: 1, bias: 2 },
    layers: [{ bias: 3 }, [4, []], {}],
    a: 5,
  };
  const { leaves, paths } = flatten(tree, isNumber);
  expect(paths).toEqual(["hidden.weight", "hidden.bias", "layers.0.bias", "layers.1.0", "a"]);
  expect(leaves).toEqual([1, 2, 3, 4, 5]);
});

test("a bare leaf has the empty path, and an empty key its own", () => {
  expect(flatten(7, isNumber)).toEqual({ leaves: [7], paths: [""], structure: { kind: "leaf" } });
  expect(flatten({ "": { "": 1 } }, isNumber).paths).toEqual(["."]);
});

test("the predicate decides what a leaf is", () => {
  const isPair = (value: unknown): value is number[] => Array.isArray(value) && value.length === 2;
  const tree = { pair: [1, 2], list: [[3, 4]] };
  expect(flatten(tree, isPair)).toMatchObject({
    leaves: [
      [1, 2],
      [3, 4],
    ],
    paths: ["pair", "list.0"],
  });
});

test("unflatten undoes flatten with new containers", () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, fc.double(), tie("list"), tie("record")),
    list: fc.array(tie("tree"), { maxLength: 4 }),
    record: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("tree"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  }));
  fc.assert(
    fc.property(tree, (given) => {
      const { leaves, paths, structure } = flatten(given, isNumber);
      expect(paths.length).toBe(leaves.length);
      expect(unflatten(structure, leaves)).toEqual(given);
    }),
    { numRuns: 100 },
  );
  const given = { a: [1] };
  const { leaves, structure } = flatten(given, isNumber);
  expect(unflatten(structure, leaves)).not.toBe(given);
});

test("map keeps the form, passes the path and carries the types", () => {
  const tree = { w: 1, layers: [2, 3] as [number, number] };
  const named = map(tree, isNumber, (leaf, path) => `${path}=${leaf}`);
  expect(named).toEqual({ w: "w=1", layers: ["layers.0=2", "layers.1=3"] });
  expectTypeOf(named).toEqualTypeOf<{ w: string; layers: [string, string] }>();
  expect(tree).toEqual({ w: 1, layers: [2, 3] });
});

test("a key named __proto__ is a key", () => {
  const tree: unknown = JSON.parse('{"__proto__": {"x": 1}}');
  const { leaves, paths, structure } = flatten(tree, isNumber);
  expect(paths).toEqual(["__proto__.x"]);
  const copy = unflatten(structure, leaves) as object;
  expect(Object.keys(copy)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
});

test("one object at two places is no cycle", () => {
  const shared = { x: 1 };
  expect(flatten([shared, shared], isNumber).paths).toEqual(["0.x", "1.x"]);
});

class Layer {}
const cycle: { a: { b: unknown } } = { a: { b: 0 } };
cycle.a.b = [cycle];

test.each<[string, unknown, string]>([
  [
    "a string",
    { a: ["x"] },
    'flatten: string at "a.0"; expected a leaf, an array or a plain object',
  ],
  ["null", [null], 'flatten: null at "0"; expected a leaf, an array or a plain object'],
  ["undefined", undefined, 'flatten: undefined at ""; expected a leaf, an array or a plain object'],
  [
    "an instance",
    { a: new Layer() },
    'flatten: a Layer at "a"; expected a leaf, an array or a plain object',
  ],
  [
    "a typed array",
    { a: new Float32Array(1) },
    'flatten: a Float32Array at "a"; expected a leaf, an array or a plain object',
  ],
  ["a cycle", cycle, 'flatten: the tree holds itself at "a.b.0"; expected no cycle'],
  [
    "a path taken twice",
    { "a.b": 1, a: { b: 2 } },
    'flatten: two leaves at "a.b"; expected a path of its own each',
  ],
])("rejects %s", (_, tree, message) => {
  expect(() => flatten(tree, isNumber)).toThrow(new GradusError(message));
});

test.each([0, 1, 3])("unflatten rejects %i leaves for two", (count) => {
  const { structure } = flatten([1, { a: 2 }], isNumber);
  const build = () => unflatten(structure, new Array<number>(count).fill(0));
  expect(build).toThrow(new ShapeError(`unflatten: ${count} leaves; expected 2`));
});
