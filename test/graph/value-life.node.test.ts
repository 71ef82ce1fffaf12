import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The verbs of a class's row in the table of docs/architecture.md. */
function told(name: string): string[] {
  const rows = read("docs/architecture.md").matchAll(/^\| `(\w+)\.(\w+)` \|/gm);
  return [...rows].filter(([, of]) => of === name).map(([, , verb]) => verb);
}

/** Methods of a class that others may call, with what they take. */
function methods(path: string): (readonly [name: string, takes: string])[] {
  const heads = read(path).matchAll(
    /^ {2}(?:abstract |async |override )*(\w+)(?:<\w+>)?\(([^{;]*)/gm,
  );
  return [...heads]
    .filter(([, name]) => name !== "constructor")
    .map(([, name, rest]) => [name, rest]);
}

test("the table of a value's life has every verb of nodes and of states", () => {
  expect(told("Node")).toEqual(methods("src/graph/node.ts").map(([name]) => name));
  const ofStates = methods("src/graph/state.ts").map(([name]) => name);
  const own = ofStates.slice(0, ofStates.indexOf("spoil") + 1); // what follows belongs to others
  expect(told("State").sort()).toEqual(own.filter((name) => name !== "use").sort());
});

test("it has every verb by which a device changes values", () => {
  const onlyRead = ["read", "readAll", "readNow", "peek"];
  const found = methods("src/engine/device.ts")
    .filter(([, takes]) => /\b(?:Node|Storage|State)\b/.test(takes.split(")")[0]))
    .map(([name]) => name);
  expect(found).toEqual(expect.arrayContaining(onlyRead));
  const changing = found.filter((name) => !onlyRead.includes(name));
  expect(told("EngineDevice").sort()).toEqual(changing.sort());
});
