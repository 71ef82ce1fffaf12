// The benchmark: builds the page Bench, opens it in headless Chromium and lets it measure; with
// --node in Node instead; with --bundle writes one file that does the latter anywhere.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, preview } from "vite";
import { withPage } from "./page.mjs";

const HELP = `Measures Gradus and other libraries side by side.

Usage: npm run bench -- [options]

  --only REGEX    workloads by name
  --peers LIST    peers by name or its beginning, separated by commas
  --rounds N      rounds of each measurement (5)
  --json FILE     where the report goes (bench/results/<date>-<adapter>.json)
  --compare FILE  an earlier report, to be set in relation
  --node          in Node instead of headless Chromium
  --bundle FILE   only write one .mjs file that runs as --node does where there are no packages
  --help          this text`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const text = { type: "string" };
const flag = { type: "boolean" };

function readOptions() {
  try {
    return parseArgs({
      options: {
        only: text,
        peers: text,
        rounds: text,
        json: text,
        compare: text,
        node: flag,
        bundle: text,
        help: flag,
      },
    }).values;
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

const results = join(root, "bench/results");

function writeReport(report, file) {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  console.error(`\nWritten to ${file}`);
}

async function measureInBrowser({ only, peers, rounds, json, compare }) {
  const configFile = join(root, "vite.config.ts");
  const earlier = compare === undefined ? null : readFileSync(compare, "utf8");
  const outDir = join(root, "build/bench");
  const input = join(root, "bench/page/index.html");
  await build({
    root,
    configFile,
    logLevel: "error",
    build: { outDir, rolldownOptions: { input } },
  });
  const server = await preview({
    root,
    configFile,
    logLevel: "error",
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const measure = async (page, url) => {
    page.on("pageerror", (error) => console.error(`Page: ${error.message}`));
    await page.goto(`${url}bench/page/`);
    await page.exposeFunction("benchProgress", (line) => console.error(line));
    return page.evaluate(
      (wishes, before) => globalThis.gradusBench(wishes, before, globalThis.benchProgress),
      { only, peers, rounds },
      earlier,
    );
  };
  const { report, text, name } = await withPage(server, measure, { protocolTimeout: 0 });
  console.log(text);
  writeReport(report, json ?? join(results, name));
}

async function buildForNode() {
  const configFile = join(root, "vite.bench-node.config.ts");
  await build({ root, configFile, logLevel: "error" });
  return join(root, "build/bench-node/main.mjs");
}

async function measureInNode({ node: _, bundle: __, ...options }) {
  const file = await buildForNode();
  mkdirSync(results, { recursive: true });
  const args = Object.entries({ json: results, ...options }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  const child = spawn(process.execPath, [file, ...args], { stdio: "inherit" });
  process.on("SIGINT", () => {}); // the child gets it too, and this process waits for it
  child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  if (options.bundle !== undefined) {
    mkdirSync(dirname(resolve(options.bundle)), { recursive: true });
    copyFileSync(await buildForNode(), options.bundle);
    return console.error(`Written to ${options.bundle}`);
  }
  return options.node ? measureInNode(options) : measureInBrowser(options);
}

try {
  await main();
} catch (error) {
  console.error(error.message.split("\n")[0]);
  process.exitCode = 1;
}
