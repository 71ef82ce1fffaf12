// @ts-check
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "vite";

/** A statement that imports names, as builds write it. */
const IMPORT = /^import \{ ([^}]*) \} from "([^"]*)";\n/gm;

/** The modules of the code for rare kernels, which the engine's do not import. */
const RARE = ["rare-codes", "element-sums", "place-rows", "scan", "search", "sort-rows"];

/**
 * Makes modules of the CPU's compiled engine and of its code for rare kernels, which import nothing: what
 * they have in common with others, `devices/cpu/engine-parts.js` gives them, and the engine the other one
 * what is its own. Where scripts that are loaded on demand import the same modules, bundlers cut an
 * app's own script into pieces, which costs its page 1.5 kB, also with a GPU.
 * @param {string} dist the folder of the built package
 */
export async function makeEngineScript(dist) {
  const folder = join(dist, "devices/cpu/compiled");
  const own = RARE.map((name) => `./${name}.js`);
  const rare = withoutImports(
    await bundled(folder, "rare-codes.js", (id) => /^[.#]/.test(id) && !own.includes(id)),
  );
  const shared = rare.imports.filter(({ from }) => from.startsWith("./"));
  const given = shared.map(({ list, from }) => `import { ${list} } from "${from}";`);
  const names = namesOf(shared);
  writeModule(join(folder, "sharing-engine.js"), [
    ...given,
    'import { CompiledEngine, engineOf } from "./compiled-engine.js";',
    `CompiledEngine.shared = { ${names} };`,
    "export { engineOf };",
  ]);
  const engine = withoutImports(
    await bundled(folder, "sharing-engine.js", (id) => /^(\.\.\/|#)/.test(id)),
  );
  const parts = [...engine.imports, ...rare.imports.filter((one) => !shared.includes(one))];
  rmSync(folder, { recursive: true });
  writeScript(
    join(folder, "compiled-engine.js"),
    "engineOf",
    [namesOf(engine.imports)],
    engine.body,
  );
  const others = namesOf(rare.imports.filter((one) => !shared.includes(one)));
  writeScript(join(folder, "rare-codes.js"), "codesOf", [others, names], rare.body);
  writeModule(join(dist, "devices/cpu/engine-parts.js"), [
    ...importsOnce(parts),
    `export const engineParts = { ${[...new Set(namesOf(parts))].join(", ")} };`,
  ]);
}

/** @typedef {{ list: string, from: string }} Import */

/**
 * A module's code without the names that it imports, which are told.
 * @param {string} code
 */
function withoutImports(code) {
  const imports = /** @type {Import[]} */ ([]);
  const body = code
    .replace(IMPORT, (_, list, from) => {
      imports.push({ list, from });
      return "";
    })
    .replace(/\nexport \{ .* \};\n$/, "");
  if (/^(import|export) /m.test(body)) {
    throw new Error("engine-script: imports or exports other than names; expected none");
  }
  return { imports, body };
}

/**
 * The names by which imports are called.
 * @param {readonly Import[]} imports
 */
function namesOf(imports) {
  return imports.flatMap(({ list }) =>
    list.split(", ").map((one) => /** @type {string} */ (one.split(" as ").at(-1))),
  );
}

/**
 * Import statements of a module beside the engine's folder, each name once.
 * @param {readonly Import[]} imports
 */
function importsOnce(imports) {
  const seen = new Set();
  return imports.flatMap(({ list, from }) => {
    const fresh = list.split(", ").filter((one) => !seen.has(one) && seen.add(one));
    const path = from.replace("../", "./").replace("./..", "..");
    return fresh.length > 0 ? [`import { ${fresh.join(", ")} } from "${path}";`] : [];
  });
}

/**
 * Writes a module that imports nothing and makes once what its function gives, of objects with names.
 * @param {string} file
 * @param {string} name of the function
 * @param {readonly (readonly string[])[]} given the names of each object
 * @param {string} body
 */
function writeScript(file, name, given, body) {
  const objects = given.map((_, i) => `given${i}`);
  writeModule(file, [
    "// Imports nothing, so that no bundler divides other scripts for its sake.",
    "let made;",
    "/** Makes its things of what they have in common with other scripts. */",
    `export function ${name}(${objects}) {`,
    `return (made ??= make(${objects}));`,
    "}",
    `function make(${given.map((names) => `{ ${names.join(", ")} }`).join(", ")}) {`,
    body,
    `return ${name}();`,
    "}",
  ]);
}

/**
 * The modules of a folder as one, but for those that are told apart.
 * @param {string} folder
 * @param {string} entry
 * @param {(id: string) => boolean} external
 */
async function bundled(folder, entry, external) {
  const result = await build({
    configFile: false,
    logLevel: "warn",
    build: {
      write: false,
      minify: false,
      target: "es2022",
      outDir: folder, // from where the paths in imports lead
      emptyOutDir: false,
      copyPublicDir: false,
      lib: { entry: join(folder, entry), formats: ["es"] },
      rolldownOptions: { external: (id) => id !== join(folder, entry) && external(id) },
    },
  });
  const [{ output }] = /** @type {import("vite").Rolldown.RolldownOutput[]} */ (result);
  return output[0].code;
}

/**
 * @param {string} file
 * @param {readonly string[]} lines
 */
function writeModule(file, lines) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${lines.join("\n")}\n`);
}
