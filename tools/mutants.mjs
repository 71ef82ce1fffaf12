// Plants faults one by one in a folder of src/ and runs the tests in Node that reach each:
// `npm run mutants -- core`, `npm run mutants -- graph/node.ts io`. With --change, in the files
// that changed since main, or since the last commit where main itself is checked out. With
// --tests safetensors,stores only the tests in files whose names begin so: sooner, and too strict.
// With --sample 8 one of eight faults, the same ones each time.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function fail(message) {
  console.error(message);
  process.exit(2);
}

function git(...args) {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

/** Sources that differ from where this branch left main, and those that git does not know yet. */
function changed() {
  const changes = git("diff", "--name-only", "--diff-filter=d", git("merge-base", "HEAD", "main"));
  const added = git("ls-files", "--others", "--exclude-standard");
  return `${changes}\n${added}`.split("\n").filter((file) => /^src\/.*\.ts$/.test(file));
}

function pattern(name) {
  const path = `src/${name.replace(/^src\/|\/$/g, "")}`;
  if (!existsSync(join(root, path)))
    fail(`mutants: ${name} is not in src/; expected a folder or file`);
  return statSync(join(root, path)).isDirectory() ? `${path}/**/*.ts` : path;
}

let given;
try {
  given = parseArgs({
    allowPositionals: true,
    options: {
      change: { type: "boolean" },
      concurrency: { type: "string", default: "2" },
      sample: { type: "string" },
      tests: { type: "string" },
    },
  });
} catch (error) {
  fail(`mutants: ${error.message}`);
}
const { values, positionals } = given;
if (values.sample !== undefined && !/^[1-9]\d*$/.test(values.sample))
  fail(`mutants: --sample ${values.sample}; expected an integer of 1 or more`);
const patterns = [...positionals.map(pattern), ...(values.change ? changed() : [])];
if (patterns.length === 0) {
  if (values.change) console.log("mutants: no source changed");
  else fail("mutants: nothing to change; expected a folder of src/, a file of it, or --change");
} else {
  const file = join(root, "node_modules/@stryker-mutator/core/bin/stryker.js");
  const mutate = [...patterns, "!src/**/index.ts"].join(",");
  const args = [
    "run",
    "tools/stryker.config.mjs",
    "--mutate",
    mutate,
    "--concurrency",
    values.concurrency,
  ];
  if (values.tests) {
    const near = values.tests.split(",").map((name) => `test/**/${name}*.test.ts`);
    args.push("--testFiles", near.join(","));
  }
  const env = values.sample ? { ...process.env, SAMPLE: values.sample } : process.env;
  const options = { cwd: root, env, stdio: "inherit" };
  const { status } = spawnSync(process.execPath, [file, ...args], options);
  process.exitCode = status ?? 1;
}
