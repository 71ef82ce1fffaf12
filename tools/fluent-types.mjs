// @ts-check
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A docstring and the function that it is of, as tsc writes them. */
const DOCUMENTED = /(\/\*\*(?:(?!\*\/).)*\*\/)\nexport declare (?:function|const) (\w+)/gs;

/** The type of all methods of `gradus/fluent`. */
const MAPPED = /^ +readonly \[K in keyof Ops as .*\]: Method<Ops\[K\]>;$/m;

/**
 * Writes out the methods that `gradus/fluent` adds, each with its op's docstring: of a mapped type
 * editors show none.
 * @param {string} dist the folder of the built package
 */
export async function writeOutMethods(dist) {
  const file = join(dist, "types/fluent/index.d.ts");
  const text = readFileSync(file, "utf8");
  const docs = docstrings(join(dist, "types"));
  const members = (await addedMethods(dist)).map((name) => {
    const doc = docs.get(name);
    if (doc === undefined) throw new Error(`fluent-types: ${name} has no docstring; expected one`);
    return `${doc}\nreadonly ${name}: Method<Ops["${name}"]>;`.replace(/^/gm, "    ");
  });
  if (!MAPPED.test(text)) throw new Error("fluent-types: no mapped type; expected FluentMethods");
  writeFileSync(
    file,
    text.replace(MAPPED, () => members.join("\n")),
  );
}

/**
 * The names that tensors of the built package have more when the entry is loaded.
 * @param {string} dist
 */
async function addedMethods(dist) {
  /** @param {string} name */
  const load = (name) => import(pathToFileURL(join(dist, name)).href);
  const { Tensor } = await load("index.js");
  const before = new Set(Object.getOwnPropertyNames(Tensor.prototype));
  await load("fluent/index.js");
  return Object.getOwnPropertyNames(Tensor.prototype).filter((name) => !before.has(name));
}

/**
 * Docstrings of the ops, by their names.
 * @param {string} types
 */
function docstrings(types) {
  const files = ["ops", "graph"].flatMap((folder) =>
    readdirSync(join(types, folder)).map((name) => join(types, folder, name)),
  );
  const found = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(DOCUMENTED)]);
  return new Map(found.map(([, doc, name]) => [name, doc]));
}
