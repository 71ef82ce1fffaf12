// Has every call of WebGPU in the life of a device go wrong, one after the other and in every way that
// it can: what comes of each must be right, or refused by an error of the library. A full run writes
// its table into docs/reliability.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse, readNumber, run, shown, UsageError } from "./command.mjs";
import { withPage } from "./page.mjs";
import { pages, root } from "./sources.mjs";

const HELP = `Has every call of WebGPU go wrong, one after the other, in headless Chromium.

Usage: npm run faults -- [options]

  --method NAME  only calls of this method, such as GPUQueue.submit
  --mode NAME    only in this way, such as "out of memory"
  --call N       only the call of this number, from 0
  --share N      of each method in each way only N calls
  --seed N       an integer that chooses the share (1)
  --patience MS  how long the engine waits for what never settles (500); more on a busy machine
  --part K/N     the K-th of N parts of all; the table comes with the last of them
  --help         this text`;

const page = join(root, "docs", "reliability.md");
const parts = join(root, "build", "faults.json");

/** Faults that one call of the page lives through. */
const AT_ONCE = 5;

const text = { type: "string" };

function readOptions(args) {
  const {
    help,
    method,
    mode,
    part = "1/1",
    ...numbers
  } = parse(args, {
    method: text,
    mode: text,
    call: text,
    share: text,
    seed: text,
    patience: text,
    part: text,
    help: { type: "boolean", default: false, short: "h" },
  });
  const integer = (name, otherwise) => {
    const given = numbers[name];
    return given === undefined ? otherwise : readNumber(name, given, [0, 1e9]);
  };
  const [k, n] = part.split("/").map(Number);
  if (!/^\d{1,4}\/\d{1,4}$/.test(part) || k < 1 || k > n) {
    throw new UsageError(`--part: ${shown(part)}; expected one such as 1/4`);
  }
  const [call, share] = [integer("call"), integer("share")];
  const [seed, patience] = [integer("seed", 1), integer("patience", 500)];
  return { help, filter: { method, mode, call }, share, seed, patience, part: [k, n] };
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
    (call ?? fault.n) === fault.n;
}

/** Lives through faults; gives the columns in which each counts. */
async function live(own, faults, patience) {
  const lived = [];
  for (let i = 0; i < faults.length; i += AT_ONCE) {
    const some = faults.slice(i, i + AT_ONCE);
    const told = await own.evaluate(
      async (some, patience) => {
        const told = [];
        for (const fault of some) told.push(await globalThis.sweep.tell(fault, patience));
        return told;
      },
      some,
      patience,
    );
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

async function sweep(own, { filter, share, seed, patience, part: [k, n] }) {
  const all = await own.evaluate(
    (share, seed) =>
      share === null ? globalThis.sweep.faults : globalThis.sweep.share(seed, share),
    share ?? null,
    seed,
  );
  // By the numbers of calls: how many there are differs a little between runs, and nothing else.
  const faults = all.filter(isWanted(filter)).filter(({ n: call }) => call % n === k - 1);
  const begun = performance.now();
  const lived = await live(own, faults, patience);
  const isFull = [share, ...Object.values(filter)].every((given) => given === undefined);
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

await run(HELP, readOptions, (options) => open((own) => sweep(own, options)));
