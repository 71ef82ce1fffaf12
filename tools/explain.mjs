// Prints the plan of the MNIST step: what each kernel computes and costs, and how long it takes. With
// --code it also prints the code of kernels, with --trace FILE it writes the times as a trace for
// Perfetto or chrome://tracing.
import { parse, ResultFile, readChoice, readNumber, readPath, run, say, tell } from "./command.mjs";
import { withPage } from "./page.mjs";
import { pages } from "./sources.mjs";

async function explain({ device, code }) {
  const query = new URLSearchParams({ device, ...(code === undefined ? {} : { code }) });
  return withPage(await pages(), async (page, url) => {
    await page.goto(`${url}examples/explain/index.html?${query}`);
    await page.waitForFunction("globalThis.explanation !== undefined");
    return page.evaluate("globalThis.explanation");
  });
}

const HELP = `Prints the plan of the MNIST step: what each kernel computes, costs and takes.

Usage: npm run explain -- [options]

  --device NAME  webgpu, or cpu, which runs compiled code there (webgpu)
  --code N       also the code of kernel N of the table, or of all: WGSL, or text of WebAssembly
  --trace FILE   where the times of one step's kernels go, for Perfetto or chrome://tracing
  --help         this text`;

/** About as many bytes as a trace has. */
const TRACE_BYTES = 20_000;

function readOptions(args) {
  const flag = { type: "boolean", default: false, short: "h" };
  const text = { type: "string" };
  const options = parse(args, { device: text, code: text, trace: text, help: flag });
  const { device = "webgpu", code, trace } = options;
  readChoice("device", device, ["webgpu", "cpu"]);
  if (code !== undefined && code !== "all") readNumber("code", code, [1, 1000]);
  if (trace !== undefined) readPath("trace", trace);
  return { ...options, device };
}

async function main({ trace: path, ...wanted }) {
  const file = path === undefined ? null : new ResultFile(path);
  await file?.probe(TRACE_BYTES);
  const { text, trace } = await explain(wanted);
  say(text);
  if (file === null) return;
  await file.write(trace);
  tell(`\nWritten to ${path}`);
}

await run(HELP, readOptions, main);
