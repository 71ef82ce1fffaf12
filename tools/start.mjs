// @ts-check
// Builds an example's command-line program, about a second, and runs it with the arguments given.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [example, ...args] = process.argv.slice(2);
const outDir = join(root, "build", example);
const program = join(outDir, "main.js");

const options = { ssr: `examples/${example}/main.ts`, outDir, logLevel: "error" };
const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
const vite = ["node_modules/vite/bin/vite.js", "build", "--config", "tools/vite.node.config.ts"];
const { status } = spawnSync(process.execPath, [...vite, ...given], {
  cwd: root,
  stdio: "inherit",
});
if (status !== 0) process.exit(1);

// The program runs in this process, so that signals reach it and nothing outlives it.
process.argv.splice(1, Infinity, program, ...args);
await import(pathToFileURL(program).href);
