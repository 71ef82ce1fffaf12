// @ts-check
// The developer's gate, quickest first; stops at the first failure.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const biome = "node_modules/@biomejs/biome/bin/biome";
const vitest = "node_modules/vitest/vitest.mjs";
const slow = ["--exclude", "test/package/package.node.test.ts"];

const steps = [
  ["format", biome, "format", "."],
  ["types", "node_modules/typescript/bin/tsc", "--noEmit"],
  ["lint", biome, "lint", "."],
  ["architecture", vitest, "run", "--project", "node", "test/package/architecture.node.test.ts"],
  ["tests in Node", vitest, "run", "--project", "node", ...slow],
  ["tests in headless Chromium", vitest, "run", "--project", "webgpu"],
  ["tests of the site", vitest, "run", "--project", "site"],
  ["built package", vitest, "run", "--project", "node", "test/package/package.node.test.ts"],
  ["size", "tools/size.mjs"],
];

for (const [title, ...args] of steps) {
  console.log(`\n— ${title}`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
