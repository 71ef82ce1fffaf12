// Builds the package into dist/: modules by Vite with the shaders inlined, types by tsc.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
await build({ root, configFile: join(root, "vite.lib.config.ts"), logLevel: "warn" });
const tsc = join(root, "node_modules/typescript/bin/tsc");
const types = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
process.exit(types.status ?? 1);
