// The benchmark: builds the page Bench, opens it in headless Chromium and lets it measure; with
// --node in Node instead; with --bundle writes one file that does the latter anywhere.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, preview } from "vite";
import { parse, ResultFile, readPath, run, say, tell } from "./command.mjs";
import { withPage } from "./page.mjs";
import { loader, root } from "./sources.mjs";

const HELP = `Measures Gradus and other libraries side by side.

Usage: npm run bench -- [options]

  --only REGEX    workloads by name
  --peers LIST    peers by name or its beginning, separated by commas
  --rounds N      rounds of each measurement (5)
  --json FILE     where the report goes (bench/results/<date>-<adapter>.json)
  --compare FILE  an earlier report, to be set in relation
  --growth        how time grows with the size of a graph instead, in Node without a GPU
  --node          in Node instead of headless Chromium
  --bundle FILE   only write one .mjs file that runs as --node does where there are no packages
  --help          this text`;

const text = { type: "string" };
const flag = { type: "boolean", default: false };

function readOptions(args) {
  const { json, compare, bundle, ...options } = parse(args, {
    only: text,
    peers: text,
    rounds: text,
    json: text,
    compare: text,
    growth: flag,
    node: flag,
    bundle: text,
    help: { ...flag, short: "h" },
  });
  const paths = Object.entries({ json, compare, bundle }).filter(([, path]) => path !== undefined);
  for (const [name, path] of paths) readPath(name, path);
  return { ...options, ...Object.fromEntries(paths) };
}

const results = join(root, "bench/results");

/** About as many bytes as a report has. */
const REPORT_BYTES = 200_000;

async function measureInBrowser({ only, peers, rounds, json, compare }) {
  await new ResultFile(json ?? join(results, "report.json")).probe(REPORT_BYTES);
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
    page.on("pageerror", (error) => tell(`Page: ${error.message}`));
    await page.goto(`${url}bench/page/`);
    await page.exposeFunction("benchProgress", tell);
    return page.evaluate(
      (wishes, before) => globalThis.gradusBench(wishes, before, globalThis.benchProgress),
      { only, peers, rounds },
      earlier,
    );
  };
  const { report, text, name } = await withPage(server, measure, { protocolTimeout: 0 });
  say(text);
  const file = json ?? join(results, name);
  await new ResultFile(file).write(`${JSON.stringify(report, null, 2)}\n`);
  tell(`\nWritten to ${file}`);
}

async function buildForNode() {
  const configFile = join(root, "tools/vite.bench-node.config.ts");
  await build({ root, configFile, logLevel: "error" });
  return join(root, "build/bench-node/main.mjs");
}

async function measureInNode({ growth: _, node: __, bundle: ___, help: ____, ...options }) {
  const file = await buildForNode();
  mkdirSync(results, { recursive: true });
  const args = Object.entries({ json: results, ...options }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  // In this process, so that signals reach it and nothing outlives it.
  process.argv.splice(1, Infinity, file, ...args);
  await import(pathToFileURL(file));
}

async function measureGrowth({ only = "" }) {
  const server = await loader();
  const { growthTable } = await server.ssrLoadModule("/bench/growth/index.ts");
  say(await growthTable(new RegExp(only), tell));
  await server.close();
}

async function main(options) {
  if (options.growth) await measureGrowth(options);
  else if (options.bundle !== undefined) {
    const file = new ResultFile(options.bundle);
    await file.probe(1);
    await file.write(readFileSync(await buildForNode()));
    tell(`Written to ${options.bundle}`);
  } else if (options.node) await measureInNode(options);
  else await measureInBrowser(options);
}

await run(HELP, readOptions, main);
