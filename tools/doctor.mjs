// The doctor: builds its page, opens it in headless Chromium and lets it look at what WebGPU does
// there; with --node in Node instead; with --bundle writes one file that looks in Node anywhere.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, preview } from "vite";
import { parse, ResultFile, readPath, run, say, tell, UsageError } from "./command.mjs";
import { withPage } from "./page.mjs";
import { root } from "./sources.mjs";

const HELP = `Looks at what WebGPU does on this machine: a verdict a line.

Usage: npm run doctor -- [options]

  --full          all that there is, some minutes; in place of what takes 20 seconds
  --only REGEX    checks by name
  --seconds N     with --node: some N seconds for all checks together
  --json FILE     where the report goes (nowhere when left out)
  --compare FILE  an earlier report, to be set beside this one
  --node          in Node instead of headless Chromium
  --bundle FILE   only write one .mjs file that runs as --node does where there are no packages
  --help          this text`;

const text = { type: "string" };
const flag = { type: "boolean", default: false };

/** About as many bytes as a report has. */
const REPORT_BYTES = 200_000;

function readOptions(args) {
  const { json, compare, bundle, only, ...options } = parse(args, {
    full: flag,
    only: text,
    seconds: text,
    json: text,
    compare: text,
    node: flag,
    bundle: text,
    help: { ...flag, short: "h" },
  });
  const paths = Object.entries({ json, compare, bundle }).filter(([, path]) => path !== undefined);
  for (const [name, path] of paths) readPath(name, path);
  try {
    new RegExp(only ?? "");
  } catch (error) {
    throw new UsageError(`--only: ${error.message}; expected a regular expression`);
  }
  return { ...options, only, ...Object.fromEntries(paths) };
}

async function lookInBrowser({ full, only, json, compare }) {
  const file = json === undefined ? null : new ResultFile(json);
  await file?.probe(REPORT_BYTES);
  const before = compare === undefined ? null : JSON.parse(readFileSync(compare, "utf8"));
  const outDir = join(root, "build/doctor");
  const common = { configFile: join(root, "vite.config.ts"), logLevel: "error" };
  const input = join(root, "site/doctor/index.html");
  await build({ ...common, build: { outDir, rolldownOptions: { input } } });
  const server = await preview({
    ...common,
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const look = async (page, url) => {
    page.on("pageerror", (error) => tell(`Page: ${error.message}`));
    await page.goto(`${url}doctor/`);
    await page.exposeFunction("doctorPrint", say);
    const stop = () => page.evaluate(() => globalThis.stopDoctor()).catch(() => {});
    process.once("SIGINT", stop);
    return page.evaluate(
      (options, earlier) => globalThis.gradusDoctor(options, earlier, globalThis.doctorPrint),
      { preset: full ? "full" : "quick", only },
      before,
    );
  };
  const report = await withPage(server, look, { protocolTimeout: 0, handleSIGINT: false });
  await file?.write(`${JSON.stringify(report, null, 2)}\n`);
  if (file) tell(`Written to ${json}`);
  if (report.lines.some(({ verdict }) => verdict === "wrong")) process.exitCode = 1;
}

async function buildForNode() {
  const configFile = join(root, "tools/vite.doctor-node.config.ts");
  await build({ root, configFile, logLevel: "error" });
  return join(root, "build/doctor-node/main.mjs");
}

async function lookInNode({ full, only, seconds, json, compare }) {
  const file = await buildForNode();
  const wishes = Object.entries({ only, seconds, json, compare });
  const args = wishes.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  // In this process, so that signals reach it and nothing outlives it.
  process.argv.splice(1, Infinity, file, ...args, ...(full ? ["--full"] : []));
  await import(pathToFileURL(file));
}

async function main(options) {
  if (options.bundle !== undefined) {
    const file = new ResultFile(options.bundle);
    await file.probe(1);
    await file.write(readFileSync(await buildForNode()));
    tell(`Written to ${options.bundle}`);
  } else if (options.node) await lookInNode(options);
  else await lookInBrowser(options);
}

await run(HELP, readOptions, main);
