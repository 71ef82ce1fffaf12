// Gives every reader of files damaged ones: each must be read, or refused by an error of the library
// in few words, in time that grows with its size. Then has a device compute random chains of ops, which
// must give what the specification gives. The same seed does the same.
import { join } from "node:path";
import { parse, readChoice, readNumber, run, say } from "./command.mjs";
import { withPage } from "./page.mjs";
import { loader, pages, root } from "./sources.mjs";

const HELP = `Gives every reader of files damaged ones, and a device random chains of ops.

Usage: npm run fuzz -- [options]

  --only NAME    files or chains (both)
  --seed N       an integer that fixes the damage and the chains (the day's number)
  --format NAME  one of csv, idx, mnist, safetensors, weights, npy, npz, tokenizer,
                 wav, tar, checkpoint (all)
  --cases N      files of each format (20000)
  --case N       only the file of this number
  --device NAME  cpu or webgpu, in headless Chromium, where chains are computed (cpu)
  --chains N     chains of up to 20 ops (2000)
  --chain WORDS  only this chain, as the one that failed is told
  --help         this text`;

const text = { type: "string" };
const flag = { type: "boolean", default: false };

/** Chains after each of which a line tells how far it is. */
const AT_ONCE = 100;

/** Milliseconds that any file of up to some hundred kilobytes may take, on a busy machine too. */
const LIMIT = 2000;

function readOptions(args) {
  const names = ["only", "format", "seed", "cases", "case", "device", "chains", "chain"];
  const options = Object.fromEntries(names.map((name) => [name, text]));
  const all = parse(args, { ...options, help: { ...flag, short: "h" } });
  const { help, format, chain, only, device = "cpu" } = all;
  const integer = (name, otherwise) => {
    return readNumber(name, all[name] ?? String(otherwise), [0, 2 ** 32 - 1]);
  };
  const today = Math.floor(Date.now() / 86_400_000);
  const first = integer("case", 0);
  const cases = all.case === undefined ? integer("cases", 20_000) : 1;
  const ofFiles = all.case !== undefined || format !== undefined;
  const implied = chain !== undefined ? "chains" : ofFiles ? "files" : undefined;
  return {
    help,
    only: only === undefined ? implied : readChoice("only", only, ["files", "chains"]),
    seed: integer("seed", today),
    files: { format, cases, first },
    chains: {
      device: readChoice("device", device, ["cpu", "webgpu"]),
      count: integer("chains", 2000),
      chain: chain?.split(",").map((word) => readNumber("chain", word, [0, 2 ** 31])),
    },
  };
}

async function withModule(file, use) {
  const server = await loader();
  try {
    const load = (path) => server.ssrLoadModule(join(root, path));
    await use(await load(file), load);
  } finally {
    await server.close();
  }
}

async function damage({ formats, fuzz }, seed, { format, cases, first }) {
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

/** Gives what computes chains on a device: one, or many drawn by a seed. */
async function withChains(device, use) {
  if (device === "webgpu") {
    await withPage(await pages(), async (page, url) => {
      page.on("pageerror", (error) => console.error(`\n${error}`));
      await page.goto(`${url}test/support/chains.html`);
      await page.waitForFunction("globalThis.chains !== undefined", { timeout: 120_000 });
      await use({
        one: (chain) => page.evaluate((own) => globalThis.chains.one(own), chain),
        many: (draws) => page.evaluate((own) => globalThis.chains.many(own), draws),
      });
    });
    return;
  }
  await withModule("test/support/cpu-engines.ts", async ({ cpuEngines }, load) => {
    const { chainFailure, fuzzChains } = await load("test/support/chain-fuzz.ts");
    const { compiled, plain } = await cpuEngines();
    await use({
      one: (chain) => chainFailure(chain, compiled, plain),
      many: (draws) => fuzzChains(compiled, plain, draws),
    });
  });
}

async function compute({ one, many }, seed, { chain, count }) {
  const fail = (failure) => {
    if (failure !== "") throw new Error(`a chain went wrong:\n${failure}`);
  };
  if (chain !== undefined) {
    fail(await one(chain));
    say("The chain gives what it should");
    return;
  }
  say(`Seed ${seed}, ${count} chains`);
  for (let done = 0; done < count; done += AT_ONCE) {
    const draws = { seed: seed + done, count: Math.min(AT_ONCE, count - done) };
    fail(await many(draws));
    say(`${done + draws.count} chains give what they should`);
  }
}

await run(HELP, readOptions, async ({ only, seed, files, chains }) => {
  if (only !== "chains") {
    await withModule("test/support/reader-fuzz.ts", (module) => damage(module, seed, files));
  }
  if (only !== "files") {
    await withChains(chains.device, (of) => compute(of, seed, chains));
  }
});
