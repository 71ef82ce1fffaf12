// Prints the plan of the MNIST step: what each kernel computes and costs. With --trace FILE it also
// writes the times of one step's kernels as a trace for Perfetto or chrome://tracing.
import { parse, ResultFile, readPath, run, say, tell } from "./command.mjs";
import { withPage } from "./page.mjs";
import { pages } from "./sources.mjs";

async function explain() {
  return withPage(await pages(), async (page, url) => {
    await page.goto(`${url}examples/explain/index.html`);
    await page.waitForFunction("globalThis.explanation !== undefined");
    return page.evaluate("globalThis.explanation");
  });
}

const HELP = `Prints the plan of the MNIST step: what each kernel computes and costs.

Usage: npm run explain -- [options]

  --trace FILE  where the times of one step's kernels go, for Perfetto or chrome://tracing
  --help        this text`;

/** About as many bytes as a trace has. */
const TRACE_BYTES = 20_000;

function readOptions(args) {
  const flag = { type: "boolean", default: false, short: "h" };
  const options = parse(args, { trace: { type: "string" }, help: flag });
  if (options.trace !== undefined) readPath("trace", options.trace);
  return options;
}

async function main({ trace: path }) {
  const file = path === undefined ? null : new ResultFile(path);
  await file?.probe(TRACE_BYTES);
  const { text, trace } = await explain();
  say(text);
  if (file === null) return;
  await file.write(trace);
  tell(`\nWritten to ${path}`);
}

await run(HELP, readOptions, main);
