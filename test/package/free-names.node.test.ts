import { expect, test } from "vitest";
import { reachOf } from "../support/free-names.ts";

test.each<[string, string, string[], string[], string[]]>([
  ["a call", "fetch(url); const url = 1;", ["fetch"], [], []],
  ["code made of text", "eval(x); new Function(x); const x = '';", ["Function", "eval"], [], []],
  ["a class of its own", "class WebSocket {} new WebSocket();", [], [], []],
  ["members", "a.fetch(); a?.eval; ({ eval: 1, fetch() {} });", ["a"], [], []],
  ["computed members", "a[fetch];", ["a", "fetch"], [], []],
  ["short properties", "({ fetch });", ["fetch"], [], []],
  ["patterns", "const { a: b, c = d, ...e } = f; (g, [h]) => b;", ["d", "f"], [], []],
  [
    "the platform",
    "navigator.gpu; self[x]; let x;",
    ["navigator", "self"],
    ["navigator.gpu", "self.[…]"],
    [],
  ],
  [
    "imports",
    'import a from "b"; export { c } from "d"; import("e"); import(a);',
    [],
    [],
    ["[…]", "b", "d", "e"],
  ],
  ["labels", "x: for (;;) { break x; } new.target;", [], [], []],
])("a script reaches for what it does not declare: %s", (_, code, names, members, imports) => {
  const wrapped = code.includes("new.target") ? `function f() { ${code} }` : code;
  const reach = reachOf(wrapped);
  const sorted = (set: Set<string>) => [...set].sort();
  expect(sorted(reach.names)).toEqual(names);
  expect(sorted(reach.members)).toEqual(members);
  expect(sorted(reach.imports)).toEqual(imports);
});
