// Prints the plan of the MNIST step: what each kernel computes and costs. With --trace FILE it also
// writes the times of one step's kernels as a trace for Perfetto or chrome://tracing.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createServer } from "vite";
import { withPage } from "./page.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

async function explain() {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    optimizeDeps: { noDiscovery: true, exclude: ["webgpu"] },
    server: { port: 0, host: "127.0.0.1" },
  });
  await server.listen();
  return withPage(server, async (page, url) => {
    await page.goto(`${url}examples/explain/index.html`);
    await page.waitForFunction("globalThis.explanation !== undefined");
    return page.evaluate("globalThis.explanation");
  });
}

try {
  const { values } = parseArgs({ options: { trace: { type: "string" } } });
  const { text, trace } = await explain();
  console.log(text);
  if (values.trace !== undefined) {
    writeFileSync(values.trace, trace);
    console.error(`\nWritten to ${values.trace}`);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
