// Has every call of WebGPU in the life of a device go wrong, one after the other and in every way that
// it can: what comes of each must be right, or refused by an error of the library. A full run writes
// its table into docs/reliability.md.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createServer } from "vite";
import { withPage } from "./page.mjs";

const HELP = `Has every call of WebGPU go wrong, one after the other, in headless Chromium.

Usage: npm run faults -- [options]

  --method NAME  only calls of this method, such as GPUQueue.submit
  --mode NAME    only in this way, such as "out of memory"
  --call N       only the call of this number, from 0
  --share N      of each method in each way only N calls
  --seed N       an integer that chooses the share (1)
  --help         this text`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const page = join(root, "docs", "reliability.md");

/** Faults that one call of the page lives through. */
const AT_ONCE = 5;

function readOptions() {
  const names = ["method", "mode", "call", "share", "seed"];
  const text = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  const { values } = parseArgs({ options: { ...text, help: { type: "boolean" } } });
  for (const name of ["call", "share", "seed"]) {
    const value = values[name];
    if (value === undefined || /^\d{1,9}$/.test(value)) continue;
    throw new Error(`faults: --${name} ${value}; expected an integer from 0`);
  }
  return values;
}

async function open(use) {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    optimizeDeps: { noDiscovery: true, exclude: ["webgpu"] },
    server: { port: 0, host: "127.0.0.1", watch: null },
  });
  await server.listen();
  await withPage(
    server,
    async (own, url) => {
      own.on("pageerror", (error) => console.error(`\n${error}`));
      await own.goto(`${url}test/support/faults.html`);
      await own.waitForFunction("globalThis.sweep !== undefined", { timeout: 120_000 });
      await use(own);
    },
    { protocolTimeout: 900_000 },
  );
}

function isWanted({ method, mode, call }) {
  return (fault) =>
    (method ?? fault.method) === fault.method &&
    (mode ?? fault.mode) === fault.mode &&
    Number(call ?? fault.n) === fault.n;
}

async function live(own, faults) {
  const bad = [];
  for (let i = 0; i < faults.length; i += AT_ONCE) {
    const found = await own.evaluate(
      async (some) => {
        const found = [];
        for (const fault of some) found.push(await globalThis.sweep.complain(fault));
        return found;
      },
      faults.slice(i, i + AT_ONCE),
    );
    for (const text of found.filter((text) => text !== null)) {
      bad.push(text);
      console.log(text);
    }
    const done = Math.min(i + AT_ONCE, faults.length);
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${faults.length} `);
  }
  return bad;
}

function write(table) {
  if (!existsSync(page)) return;
  const before = readFileSync(page, "utf8");
  const [begin, end] = ["<!-- faults -->\n", "\n<!-- /faults -->"];
  const [head, rest] = before.split(begin);
  writeFileSync(page, `${head}${begin}${table}${end}${rest.split(end)[1]}`);
}

try {
  const options = readOptions();
  if (options.help) console.log(HELP);
  else {
    await open(async (own) => {
      const { share, seed = "1" } = options;
      const all =
        share === undefined
          ? await own.evaluate(() => globalThis.sweep.faults)
          : await own.evaluate((...args) => globalThis.sweep.share(...args), +seed, +share);
      const faults = all.filter(isWanted(options));
      const begun = performance.now();
      const bad = await live(own, faults);
      const table = await own.evaluate(() => globalThis.sweep.table);
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      console.log(
        `\n${table}\n\n${faults.length} faults in ${seconds} s, ${bad.length} of them bad`,
      );
      const isFull = Object.keys(options).length === 0;
      if (isFull) write(table);
      if (bad.length > 0) process.exitCode = 1;
    });
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
