import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { sharedNames } from "../support/declared-names.ts";

const root = join(import.meta.dirname, "../..");

/** Files that stand for others, and so have the same names. */
const stand = {
  "src/core/no-advice.ts": "for advice.ts, in builds for production",
  "src/io/no-file-store.ts": "for file-store.ts, in builds for browsers",
  "src/inline.ts": "for init.ts, in pages that load nothing later",
};

test("a name means one thing in src/", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map(
      (path) => [relative(root, path).replaceAll("\\", "/"), readFileSync(path, "utf8")] as const,
    )
    .filter(([path]) => !Object.hasOwn(stand, path));
  expect(files.length).toBeGreaterThan(200);
  expect(sharedNames(new Map(files))).toEqual([]);
});

test.each<[string, string, string, string[]]>([
  ["two exported functions", "export function a() {}", "export const a = 1;", ["a: a.ts, b.ts"]],
  ["an exported and a private one", "async function a() {}", "export let a;", ["a: a.ts, b.ts"]],
  ["two private types", "type A = 1;", "abstract class A {}", ["A: a.ts, b.ts"]],
  ["two private functions", "function a() {}", "const a = 1;", []],
  ["a name within", "export const a = 1;", "{\n  const a = 2;\n}", []],
  ["one that is handed on", "export const a = 1;", 'export { a } from "./a.ts";', []],
  ["overloads", "export function a(): 1;\nexport function a() {}", "", []],
  ["an example", "export const a = 1;", "/**\nconst a = 2;\n*/", []],
])("names are compared: %s", (_, a, b, expected) => {
  expect(sharedNames(new Map([["a.ts", a], ["b.ts", b]]))).toEqual(expected); // biome-ignore format: short
});
