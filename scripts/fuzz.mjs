// Gives every reader of files damaged ones: each must be read, or refused by an error of the library
// in few words, in time that grows with its size. The same seed damages them in the same way.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createServer } from "vite";

const HELP = `Gives every reader of files damaged ones.

Usage: npm run fuzz -- [options]

  --format NAME  one of csv, idx, mnist, safetensors, weights, checkpoint (all)
  --seed N       an integer that fixes the damage (the day's number)
  --cases N      files of each format (20000)
  --case N       only the file of this number
  --help         this text`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const text = { type: "string" };

/** Milliseconds that any file of up to some hundred kilobytes may take, on a busy machine too. */
const LIMIT = 2000;

function readOptions() {
  const options = { format: text, seed: text, cases: text, case: text, help: { type: "boolean" } };
  const { values } = parseArgs({ options });
  const integer = (name, otherwise) => {
    const value = Number(values[name] ?? otherwise);
    if (Number.isSafeInteger(value) && value >= 0 && value < 2 ** 32) return value;
    throw new Error(`fuzz: --${name} ${values[name]}; expected an integer from 0`);
  };
  const today = Math.floor(Date.now() / 86_400_000);
  const first = integer("case", 0);
  const cases = values.case === undefined ? integer("cases", 20_000) : 1;
  return { help: values.help, format: values.format, seed: integer("seed", today), cases, first };
}

async function withModule(file, use) {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    appType: "custom",
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, watch: null, ws: false },
  });
  try {
    await use(await server.ssrLoadModule(join(root, file)));
  } finally {
    await server.close();
  }
}

async function run({ formats, fuzz }, { format, seed, cases, first }) {
  const all = await formats();
  const names = format === undefined ? Object.keys(all) : [format];
  if (!Object.hasOwn(all, names[0])) {
    throw new Error(`fuzz: --format ${format}; expected one of ${Object.keys(all).join(", ")}`);
  }
  console.log(`Seed ${seed}, ${cases} files of each format`);
  for (const name of names) {
    const { read, refused, slowest } = fuzz(name, all[name], seed, cases, first);
    const { number, milliseconds } = slowest;
    const longest = `the longest took ${milliseconds.toFixed(0)} ms (case ${number})`;
    console.log(`${name}: ${read} read, ${refused} refused; ${longest}`);
    if (milliseconds > LIMIT) throw new Error(`${name}: case ${number} took too long`);
  }
}

try {
  const options = readOptions();
  if (options.help) console.log(HELP);
  else await withModule("test/support/reader-fuzz.ts", (module) => run(module, options));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
