// Gives every reader of files damaged ones: each must be read, or refused by an error of the library
// in few words, in time that grows with its size. The same seed damages them in the same way.
import { join } from "node:path";
import { parse, readChoice, readNumber, run, say } from "./command.mjs";
import { loader, root } from "./sources.mjs";

const HELP = `Gives every reader of files damaged ones.

Usage: npm run fuzz -- [options]

  --format NAME  one of csv, idx, mnist, safetensors, weights, npy, npz, checkpoint (all)
  --seed N       an integer that fixes the damage (the day's number)
  --cases N      files of each format (20000)
  --case N       only the file of this number
  --help         this text`;

const text = { type: "string" };
const flag = { type: "boolean", default: false };

/** Milliseconds that any file of up to some hundred kilobytes may take, on a busy machine too. */
const LIMIT = 2000;

function readOptions(args) {
  const options = {
    format: text,
    seed: text,
    cases: text,
    case: text,
    help: { ...flag, short: "h" },
  };
  const { help, format, ...numbers } = parse(args, options);
  const integer = (name, otherwise) => {
    return readNumber(name, numbers[name] ?? String(otherwise), [0, 2 ** 32 - 1]);
  };
  const today = Math.floor(Date.now() / 86_400_000);
  const first = integer("case", 0);
  const cases = numbers.case === undefined ? integer("cases", 20_000) : 1;
  return { help, format, seed: integer("seed", today), cases, first };
}

async function withModule(file, use) {
  const server = await loader();
  try {
    await use(await server.ssrLoadModule(join(root, file)));
  } finally {
    await server.close();
  }
}

async function damage({ formats, fuzz }, { format, seed, cases, first }) {
  const all = await formats();
  const names =
    format === undefined ? Object.keys(all) : [readChoice("format", format, Object.keys(all))];
  say(`Seed ${seed}, ${cases} files of each format`);
  for (const name of names) {
    const { read, refused, slowest } = await fuzz(name, all[name], seed, cases, first);
    const { number, milliseconds } = slowest;
    const longest = `the longest took ${milliseconds.toFixed(0)} ms (case ${number})`;
    say(`${name}: ${read} read, ${refused} refused; ${longest}`);
    // A busy machine may have kept it waiting: what is slow is so the second time, too.
    const again = async () => (await fuzz(name, all[name], seed, 1, number)).slowest.milliseconds;
    if (milliseconds > LIMIT && (await again()) > LIMIT)
      throw new Error(`${name}: case ${number} took too long`);
  }
}

await run(HELP, readOptions, (options) =>
  withModule("test/support/reader-fuzz.ts", (module) => damage(module, options)),
);
