// Builds an example's command-line program, about a second, and runs it with the arguments given.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [example, ...args] = process.argv.slice(2);
await build({
  root,
  configFile: join(root, "vite.node.config.ts"),
  build: { ssr: `examples/${example}/main.ts`, outDir: `build/${example}` },
  logLevel: "error",
});

const child = spawn(process.execPath, [`build/${example}/main.js`, ...args], {
  cwd: root,
  stdio: "inherit",
});
// The terminal sends Ctrl-C to both; the child stops cleanly and this process waits for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
