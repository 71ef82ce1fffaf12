// Has every call of WebGPU in the life of a device go wrong, one after the other and in every way that
// it can: what comes of each must be right, or refused by an error of the library. A full run writes
// its table into docs/reliability.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { withPage } from "./page.mjs";
import { pages, root } from "./sources.mjs";

const HELP = `Has every call of WebGPU go wrong, one after the other, in headless Chromium.

Usage: npm run faults -- [options]

  --method NAME  only calls of this method, such as GPUQueue.submit
  --mode NAME    only in this way, such as "out of memory"
  --call N       only the call of this number, from 0
  --share N      of each method in each way only N calls
  --seed N       an integer that chooses the share (1)
  --part K/N     the K-th of N parts of all; the table comes with the last of them
  --help         this text`;

const page = join(root, "docs", "reliability.md");
const parts = join(root, "build", "faults.json");

/** Faults that one call of the page lives through. */
const AT_ONCE = 5;

function readOptions() {
  const names = ["method", "mode", "call", "share", "seed", "part"];
  const text = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  const { values } = parseArgs({ options: { ...text, help: { type: "boolean" } } });
  for (const name of ["call", "share", "seed"]) {
    const value = values[name];
    if (value === undefined || /^\d{1,9}$/.test(value)) continue;
    throw new Error(`faults: --${name} ${value}; expected an integer from 0`);
  }
  const { part = "1/1" } = values;
  const [k, n] = part.split("/").map(Number);
  if (/^\d{1,4}\/\d{1,4}$/.test(part) && k >= 1 && k <= n) return values;
  throw new Error(`faults: --part ${part}; expected one such as 1/4`);
}

async function open(use) {
  await withPage(
    await pages(),
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

/** Lives through faults; gives the columns in which each counts. */
async function live(own, faults) {
  const lived = [];
  for (let i = 0; i < faults.length; i += AT_ONCE) {
    const some = faults.slice(i, i + AT_ONCE);
    const told = await own.evaluate(async (some) => {
      const told = [];
      for (const fault of some) told.push(await globalThis.sweep.tell(fault));
      return told;
    }, some);
    for (const [k, { columns, complaint }] of told.entries()) {
      lived.push({ ...some[k], columns });
      if (complaint !== null) console.log(complaint);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${lived.length} of ${faults.length} `);
  }
  return lived;
}

/** What became of faults, by method, as a table in Markdown with sums. */
function tableOf(columns, lived) {
  const row = (title, own) => {
    const counts = columns.map((column) => own.filter((x) => x.columns.includes(column)).length);
    return [title, own.length, ...counts];
  };
  const methods = [...new Set(lived.map(({ method }) => method))];
  const head = ["call that fails", "faults", ...columns];
  const rows = [
    head,
    head.map((_, i) => (i === 0 ? "---" : "--:")),
    ...methods.map((name) =>
      row(
        `\`${name}\``,
        lived.filter(({ method }) => method === name),
      ),
    ),
    row("all", lived),
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Puts the table of all faults into its page. */
function write(table) {
  const [begin, end] = ["<!-- faults -->", "<!-- /faults -->"];
  const text = readFileSync(page, "utf8");
  const [head, rest] = [text.split(begin)[0], text.split(end)[1]];
  writeFileSync(page, `${head}${begin}\n\n${table}\n\n${end}${rest}`);
}

/** Adds a part of all faults to the parts before; gives all, or null while some are missing. */
function collect(lived, [k, n]) {
  const before = k > 1 ? JSON.parse(readFileSync(parts, "utf8")) : [];
  const all = [...before, ...lived];
  mkdirSync(dirname(parts), { recursive: true });
  writeFileSync(parts, JSON.stringify(all));
  return k === n ? all : null;
}

async function run(own, { share, seed, part, ...filter }) {
  const all = await own.evaluate(
    (share, seed) =>
      share === null ? globalThis.sweep.faults : globalThis.sweep.share(seed, share),
    share === undefined ? null : Number(share),
    Number(seed ?? 1),
  );
  const [k, n] = (part ?? "1/1").split("/").map(Number);
  const faults = all.filter(isWanted(filter)).filter((_, i) => i % n === k - 1);
  const begun = performance.now();
  const lived = await live(own, faults);
  const isFull = share === undefined && Object.keys(filter).length === 0;
  const told = isFull ? collect(lived, [k, n]) : lived;
  const columns = await own.evaluate(() => globalThis.sweep.columns);
  const table = told && tableOf(columns, told);
  if (table) console.log(`\n${table}`);
  if (table && isFull) write(table);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`\n${faults.length} faults in ${seconds} s`);
  const good = ["right", "refused", "not noticed", "not reached"];
  const isBad = ({ columns }) => columns.some((column) => !good.includes(column));
  if (lived.some(isBad)) process.exitCode = 1;
}

try {
  const options = readOptions();
  if (options.help) console.log(HELP);
  else await open((own) => run(own, options));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
