// Measures the largest errors of every op, loss and metric against float64, on the CPU device in Node and in headless
// Chromium, and on WebGPU there, and writes them into the table of docs/numerics.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, readNumber, run, say, shown, UsageError } from "./command.mjs";
import { withPage } from "./page.mjs";
import { loader, pages, root } from "./sources.mjs";

const HELP = `Measures the errors of every op, loss and metric and writes them into docs/numerics.md.

Usage: npm run numerics -- [options]

  --op NAMES   only these, such as tanh,softmax; the other lines stay
  --missing    only those that have no line yet
  --part K/N   only the K-th of N parts of all
  --seeds N    how many sets of random numbers of each kind (3)
  --help       this text`;

const page = join(root, "docs", "numerics.md");

function readOptions(args) {
  const options = {
    op: { type: "string" },
    missing: { type: "boolean", default: false },
    part: { type: "string", default: "1/1" },
    seeds: { type: "string", default: "3" },
    help: { type: "boolean", default: false, short: "h" },
  };
  const { help, op, missing, part, seeds } = parse(args, options);
  const [k, n] = part.split("/").map(Number);
  if (!/^\d{1,3}\/\d{1,3}$/.test(part) || k < 1 || k > n) {
    throw new UsageError(`--part: ${shown(part)}; expected one such as 1/4`);
  }
  const names = op?.split(",");
  return { help, names, missing, part: [k, n], seeds: readNumber("seeds", seeds, [1, 99]) };
}

/** Which rows of the tables are asked for. */
function chosen(rows, lines, { names, missing, part: [k, n] }) {
  const unknown = names?.find((name) => !rows.some(([own]) => own === name));
  if (unknown !== undefined)
    throw new UsageError(`--op: ${shown(unknown)}; expected a function's name`);
  const wanted = rows.filter(
    ([name]) => (names?.includes(name) ?? true) && !(missing && lines.has(name)),
  );
  return wanted.filter((_, i) => i % n === k - 1);
}

async function measure(table, { rows, cpuEngines, ...options }) {
  const seeds = Array.from({ length: options.seeds }, (_, i) => i + 1);
  const lines = table.linesIn(readFileSync(page, "utf8"));
  const { compiled, plain } = await cpuEngines();
  await withPage(await pages(), async (own, url) => {
    own.on("pageerror", (error) => console.error(`\n${error}`));
    await own.goto(`${url}test/support/numerics.html`);
    await own.waitForFunction("globalThis.measure !== undefined", { timeout: 120_000 });
    for (const [name, row] of chosen(rows, lines, options)) {
      const here = await table.measureRow(row, { compiled, plain }, plain, { seeds });
      const there = await own.evaluate((...all) => globalThis.measure(...all), name, seeds);
      const worse = (a, b) => ({
        ordinary: table.larger(a.ordinary, b.ordinary),
        extreme: table.larger(a.extreme, b.extreme),
      });
      const line = table.lineText(name, row, {
        CPU: worse(here.compiled, there.compiled),
        WebGPU: worse(there.direct, there.workgroup),
        plain: here.plain,
      });
      lines.set(name, line);
      say(line);
      const all = rows.flatMap(([known]) => lines.get(known) ?? []);
      writeFileSync(page, table.withLines(readFileSync(page, "utf8"), all));
    }
  });
}

await run(HELP, readOptions, async (options) => {
  const server = await loader();
  const load = (file) => server.ssrLoadModule(join(root, file));
  try {
    const { tables } = await load("test/cases/tables.ts");
    const { cpuEngines } = await load("test/support/cpu-engines.ts");
    const table = await load("test/support/error-table.ts");
    await measure(table, { ...options, rows: tables, cpuEngines });
  } finally {
    await server.close();
  }
});
