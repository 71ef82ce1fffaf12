// @ts-check
// Builds the package into dist/: modules with the shaders inlined and one minified file with all of
// them by Vite, types by tsc; and llms.txt beside the README.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { makeEngineScript } from "./engine-script.mjs";
import { writeOutMethods } from "./fluent-types.mjs";
import { llmsText } from "./llms.mjs";
import { readReference } from "./reference.mjs";
import { root } from "./sources.mjs";

rmSync(join(root, "dist"), { recursive: true, force: true });
for (const name of ["vite.lib.config.ts", "vite.single.config.ts"]) {
  await build({ root, configFile: join(root, "tools", name), logLevel: "warn" });
}
await makeEngineScript(join(root, "dist"));
const { project } = await readReference();
writeFileSync(join(root, "llms.txt"), llmsText(project));
const tsc = join(root, "node_modules/typescript/bin/tsc");
const types = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
finishTypes(join(root, "dist/types"));
if (types.status === 0) await writeOutMethods(join(root, "dist"));
process.exit(types.status ?? 1);

/**
 * Makes declarations fit any program: files are named as they are imported from JavaScript, and
 * those that name `Symbol.dispose` bring its type themselves, since few programs list it. Typed
 * arrays take no parameter before TypeScript 5.7, so a copy's type says that they are not shared.
 * @param {string} folder
 */
function finishTypes(folder) {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = join(folder, name);
    if (!name.endsWith(".d.ts")) continue;
    const text = readFileSync(file, "utf8")
      .replace(/(from |import |import\(|module )"(\..*?)\.ts"/g, '$1"$2.js"')
      .replace(/\b(\w+Array)<ArrayBuffer>/g, 'ReturnType<$1["slice"]>');
    const head = /Symbol\.dispose|\bDisposable\b/.test(text)
      ? '/// <reference lib="esnext.disposable" />\n'
      : "";
    writeFileSync(file, head + text);
  }
}
