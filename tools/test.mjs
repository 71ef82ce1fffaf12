// The test command: types, lint, and the tests in Node and in headless Chromium.
// Arguments go to the test runner: `npm test -- --project node` leaves the browser out.
// With --accept, long runs go to their end, and repeat with every seed.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const report = join(root, "build", "test-report.json");
mkdirSync(dirname(report), { recursive: true });
rmSync(report, { force: true });
const args = process.argv.slice(2).filter((arg) => arg !== "--accept");
if (process.argv.includes("--accept")) process.env.VITE_ACCEPT = "1";

function run(title, file, args) {
  console.log(`\n— ${title}`);
  const path = join(root, "node_modules", file);
  const { status } = spawnSync(process.execPath, [path, ...args], { cwd: root, stdio: "inherit" });
  return status === 0;
}

const checks = {
  types: ["typescript/bin/tsc", ["--noEmit"]],
  "lint and format": ["@biomejs/biome/bin/biome", ["check", "."]],
};
const failed = Object.keys(checks).filter((title) => !run(title, ...checks[title]));
writeFileSync(join(root, "build", "failed-checks.json"), JSON.stringify(failed));

const isGood = run("tests in Node and headless Chromium", "vitest/vitest.mjs", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...args,
]);
process.exit(isGood && failed.length === 0 ? 0 : 1);
