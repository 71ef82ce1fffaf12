// @ts-check
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "vite";

/** A statement that imports names, as builds write it. */
const IMPORT = /^import \{ ([^}]*) \} from "([^"]*)";\n/gm;

/**
 * Makes one module of the CPU's compiled engine, which imports nothing: what it has in common with
 * others, `devices/cpu/engine-parts.js` gives it. Where scripts that are loaded on demand import the same
 * modules, bundlers cut an app's own script into pieces, which costs its page 1.5 kB, also with a GPU.
 * @param {string} dist the folder of the built package
 */
export async function makeEngineScript(dist) {
  const folder = join(dist, "devices/cpu/compiled");
  const entry = join(folder, "compiled-engine.js");
  const code = await bundled(folder, entry);
  const names = /** @type {string[]} */ ([]);
  const imports = /** @type {string[]} */ ([]);
  const body = code
    .replace(IMPORT, (_, list, from) => {
      names.push(...list.split(", ").map((/** @type {string} */ one) => one.split(" as ").at(-1)));
      imports.push(`import { ${list} } from "${from.replace("../", "./").replace("./..", "..")}";`);
      return "";
    })
    .replace(/\nexport \{ .* \};\n$/, "");
  if (/^(import|export) /m.test(body)) {
    throw new Error("engine-script: imports or exports other than names; expected none");
  }
  const parts = `{ ${names.join(", ")} }`;
  const engine = [
    "// Imports nothing, so that no bundler divides other scripts for its sake.",
    "let engine;",
    "/** Gives the engine what it has in common with other scripts. */",
    "export function engineOf(parts) {",
    "return (engine ??= makeEngine(parts));",
    "}",
    `function makeEngine(${parts}) {`,
    body,
    "return engineOf();",
    "}",
  ];
  rmSync(folder, { recursive: true });
  writeModule(entry, engine);
  writeModule(join(dist, "devices/cpu/engine-parts.js"), [
    ...imports,
    `export const engineParts = ${parts};`,
  ]);
}

/**
 * The modules of a folder as one, which imports all others.
 * @param {string} folder
 * @param {string} entry
 */
async function bundled(folder, entry) {
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
      lib: { entry, formats: ["es"] },
      rolldownOptions: { external: /^(\.\.\/|#)/ },
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
