// @ts-check
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "vite";

/** A statement that imports names, as builds write it. */
const IMPORT = /^import \{ ([^}]*) \} from "([^"]*)";\n/gm;

/** Scripts of code that few apps want, and the modules of each, which the engine's do not import. */
const RARE = {
  "rare-kernels": ["order-keys", "row-moments", "scan", "search", "sort-rows"],
  "rare-places": ["best-places", "element-sums", "place-rows", "scatter"],
  "rare-functions": [
    "draws",
    "float-bits",
    "half",
    "more-functions",
    "more-math",
    "power",
    "round-words",
    "shifts",
  ],
  "rare-windows": ["blocked-axis", "packing", "product-blocks"],
};

/**
 * Makes modules of the CPU's compiled engine and of code that few apps want, which import nothing: what
 * they have in common with others, `devices/cpu/engine-parts.js` gives them, and the engine the others
 * what is its own. Where scripts that are loaded on demand import the same modules, bundlers cut an
 * app's own script into pieces, which costs its page 1.5 kB, also with a GPU.
 * @param {string} dist the folder of the built package
 */
export async function makeEngineScript(dist) {
  const folder = join(dist, "devices/cpu/compiled");
  const rare = await Promise.all(
    Object.entries(RARE).map(async ([name, modules]) => {
      const own = [name, ...modules].map((one) => `./${one}.js`);
      const isOthers = (/** @type {string} */ id) => /^[.#]/.test(id) && !own.includes(id);
      const { body, imports } = withoutImports(await bundled(folder, `${name}.js`, isOthers));
      const ofEngine = imports.filter(({ from }) => from.startsWith("./"));
      return { name, body, ofEngine, others: imports.filter((one) => !ofEngine.includes(one)) };
    }),
  );
  const shared = rare.flatMap(({ ofEngine }) => ofEngine);
  writeModule(join(folder, "sharing-engine.js"), [
    ...importsOnce(shared),
    'import { CompiledEngine, engineOf } from "./compiled-engine.js";',
    `CompiledEngine.shared = { ${[...new Set(namesOf(shared))].join(", ")} };`,
    "export { engineOf };",
  ]);
  const engine = withoutImports(
    await bundled(folder, "sharing-engine.js", (id) => /^(\.\.\/|#)/.test(id)),
  );
  rmSync(folder, { recursive: true });
  writeScript(
    join(folder, "compiled-engine.js"),
    "engineOf",
    [namesOf(engine.imports)],
    engine.body,
  );
  for (const { name, body, ofEngine, others } of rare) {
    // The function of `rare-kernels` is called `kernelCodes`.
    const make = `${name.slice("rare-".length, -1)}Codes`;
    writeScript(join(folder, `${name}.js`), make, [namesOf(others), namesOf(ofEngine)], body);
  }
  const parts = [...engine.imports, ...rare.flatMap(({ others }) => others)].map((one) => ({
    ...one,
    from: one.from.replace("../", "./").replace("./..", ".."),
  }));
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
 * Import statements of a module, each name once.
 * @param {readonly Import[]} imports
 */
function importsOnce(imports) {
  const seen = new Set();
  return imports.flatMap(({ list, from }) => {
    const fresh = list.split(", ").filter((one) => !seen.has(one) && seen.add(one));
    return fresh.length > 0 ? [`import { ${fresh.join(", ")} } from "${from}";`] : [];
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
