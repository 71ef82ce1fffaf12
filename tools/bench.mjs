// The benchmark: builds the page Bench, opens it in headless Chromium and lets it measure; with
// --node in Node instead; with --cpu both, for what the CPU device is to come to; with --bundle
// writes one file that measures in Node anywhere.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
  --cpu           what the CPU device is to come to, in Node and in Chromium, one thread each; some
                  nine minutes, with a table for bench/README.md
  --growth        how time grows with the size of a graph instead, in Node without a GPU
  --node          in Node instead of headless Chromium
  --bundle FILE   only write one .mjs file that runs as --node does where there are no packages
  --kit FOLDER    only write all that measures on a machine with a GPU and without packages:
                  this bundle, the doctor's, PyTorch's steps, and measure.sh, which runs them
  --seed FILE     only have products chosen on a GPU by what \`--candidates\` wrote there of it
  --help          this text`;

const text = { type: "string" };
const flag = { type: "boolean", default: false };

function readOptions(args) {
  const { json, compare, bundle, kit, seed, ...options } = parse(args, {
    only: text,
    peers: text,
    rounds: text,
    json: text,
    compare: text,
    cpu: flag,
    growth: flag,
    node: flag,
    bundle: text,
    kit: text,
    seed: text,
    help: { ...flag, short: "h" },
  });
  const paths = Object.entries({ json, compare, bundle, kit, seed }).filter(
    ([, path]) => path !== undefined,
  );
  for (const [name, path] of paths) readPath(name, path);
  return { ...options, ...Object.fromEntries(paths) };
}

const results = join(root, "bench/results");

/** About as many bytes as a report has. */
const REPORT_BYTES = 200_000;

/** What a page gives that is not isolated, so that no library in it has threads. */
const ONE_THREAD = {
  "Cross-Origin-Opener-Policy": "unsafe-none",
  "Cross-Origin-Embedder-Policy": "unsafe-none",
};

/** Builds the page, opens it, and gives what `use` makes of a function that measures in it. */
async function withBenchPage(use, headers = {}) {
  const configFile = join(root, "vite.config.ts");
  const outDir = join(root, "build/bench");
  const input = join(root, "site/bench/index.html");
  await build({
    configFile,
    logLevel: "error",
    build: { outDir, rolldownOptions: { input } },
  });
  const server = await preview({
    configFile,
    logLevel: "error",
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1", headers },
  });
  const open = async (page, url) => {
    page.on("pageerror", (error) => tell(`Page: ${error.message}`));
    await page.goto(`${url}bench/`);
    await page.exposeFunction("benchProgress", tell);
    return use((wishes, earlier = null) =>
      page.evaluate(
        (wishes, before) => globalThis.gradusBench(wishes, before, globalThis.benchProgress),
        wishes,
        earlier,
      ),
    );
  };
  return withPage(server, open, { protocolTimeout: 0 });
}

async function measureInBrowser({ only, peers, rounds, json, compare }) {
  await new ResultFile(json ?? join(results, "report.json")).probe(REPORT_BYTES);
  const earlier = compare === undefined ? null : readFileSync(compare, "utf8");
  const wishes = { only, peers, rounds };
  const { report, text, name } = await withBenchPage((measure) => measure(wishes, earlier));
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

async function measureInNode({ only, peers, rounds, json = results, compare }) {
  const file = await buildForNode();
  mkdirSync(results, { recursive: true });
  const wishes = Object.entries({ only, peers, rounds, json, compare });
  const args = wishes.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  // In this process, so that signals reach it and nothing outlives it.
  process.argv.splice(1, Infinity, file, ...args);
  await import(pathToFileURL(file));
}

/** Measures in a process of Node's own, and gives the report. */
async function measureInProcess(file, { only, peers, rounds }) {
  const folder = mkdtempSync(join(tmpdir(), "gradus-bench-"));
  const json = join(folder, "report.json");
  const wishes = Object.entries({ only, peers, rounds, json });
  const args = wishes.flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const end = () => child.kill("SIGKILL");
  process.on("exit", end);
  try {
    await new Promise((resolve) => child.on("close", resolve));
    return JSON.parse(readFileSync(json, "utf8"));
  } finally {
    process.off("exit", end);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures passes one after the other; one that breaks is told of and left out. */
async function measurePasses(passes, { only = "", rounds }, measure) {
  const wanted = new RegExp(only, "i");
  const measured = [];
  for (const pass of passes) {
    const names = pass.workloads.filter((name) => wanted.test(name));
    if (names.length === 0) continue;
    const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const wishes = { only: `^(?:${escaped.join("|")})$`, peers: pass.peers.join(), rounds };
    try {
      measured.push({ ...pass, report: await measure(wishes) });
    } catch (error) {
      tell(`Left out: ${names.join(", ")} in ${pass.place}, for ${error.message}`);
    }
  }
  return measured;
}

/** Measures what the CPU device is to come to, and writes all of it down. */
async function measureCpu(options) {
  const file = options.json ?? join(results, `${new Date().toISOString().slice(0, 10)}-cpu.json`);
  await new ResultFile(file).probe(REPORT_BYTES);
  const server = await loader();
  const { passesIn, verdictsOf, formatVerdicts } =
    await server.ssrLoadModule("/bench/harness/bars.ts");
  await server.close();
  const bundle = await buildForNode();
  const inNode = await measurePasses(passesIn("node"), options, (wishes) =>
    measureInProcess(bundle, wishes),
  );
  const inPage = (measure) =>
    measurePasses(passesIn("page"), options, async (wishes) => (await measure(wishes)).report);
  const all = [...inNode, ...(await withBenchPage(inPage, ONE_THREAD).catch(leftOut))];
  const bars = verdictsOf(all);
  const table = formatVerdicts(bars);
  say(table);
  const whole = { format: "gradus-bench-cpu/1", date: new Date().toISOString(), bars, passes: all };
  await new ResultFile(file).write(`${JSON.stringify(whole, null, 2)}\n`);
  tell(`\nWritten to ${file}`);
  if (options.only === undefined && options.json === undefined) writeIntoPage(table);
}

function leftOut(error) {
  tell(`Left out: all in the page, for ${error.message}`);
  return [];
}

/** Puts the table of the CPU device into its place in the page of results. */
function writeIntoPage(table) {
  const page = join(root, "bench/README.md");
  const [begin, end] = ["<!-- cpu -->", "<!-- /cpu -->"];
  const text = readFileSync(page, "utf8");
  const [head, rest] = [text.split(begin)[0], text.split(end)[1]];
  writeFileSync(page, `${head}${begin}\n\n${table}\n\n${end}${rest}`);
  tell(`The table is in ${page}`);
}

async function measureGrowth({ only = "" }) {
  const server = await loader();
  const { growthTable } = await server.ssrLoadModule("/bench/growth/index.ts");
  say(await growthTable(new RegExp(only), tell));
  await server.close();
}

/** Writes all that a machine with a GPU needs beside Node and Dawn. */
async function writeKit(folder) {
  mkdirSync(folder, { recursive: true });
  const configFile = join(root, "tools/vite.doctor-node.config.ts");
  await build({ root, configFile, logLevel: "error" });
  const files = {
    "bench.mjs": await buildForNode(),
    "doctor.mjs": join(root, "build/doctor-node/main.mjs"),
    "torch_steps.py": join(root, "bench/gpu/torch_steps.py"),
    "measure.sh": join(root, "bench/gpu/measure.sh"),
  };
  for (const [name, path] of Object.entries(files)) copyFileSync(path, join(folder, name));
  tell(`Written to ${folder}: ${Object.keys(files).join(", ")}`);
}

/** Takes what candidates took on a GPU over into the source. */
async function takeSeed(file) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const server = await loader();
  const path = join(root, "src/kernels/measured-products.ts");
  try {
    const { seedOf, seedFile } = await server.ssrLoadModule("/bench/kernels/seed.ts");
    const { measuredProducts } = await server.ssrLoadModule("/src/kernels/measured-products.ts");
    const [begin, products] = await seedOf(report);
    const text = seedFile(readFileSync(path, "utf8"), measuredProducts, [begin, products]);
    await new ResultFile(path).write(text);
    execFileSync(
      process.execPath,
      [join(root, "node_modules/@biomejs/biome/bin/biome"), "format", "--write", path],
      { cwd: root, stdio: "ignore" },
    );
    say(`${products.length} products of adapters called "${begin} …", written to ${path}`);
  } finally {
    await server.close();
  }
}

async function main(options) {
  if (options.seed !== undefined) await takeSeed(options.seed);
  else if (options.kit !== undefined) await writeKit(options.kit);
  else if (options.cpu) await measureCpu(options);
  else if (options.growth) await measureGrowth(options);
  else if (options.bundle !== undefined) {
    const file = new ResultFile(options.bundle);
    await file.probe(1);
    await file.write(readFileSync(await buildForNode()));
    tell(`Written to ${options.bundle}`);
  } else if (options.node) await measureInNode(options);
  else await measureInBrowser(options);
}

await run(HELP, readOptions, main);
