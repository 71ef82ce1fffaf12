import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "vite";

const built = new Map<string, Promise<string>>();

/** Builds a script and starts it in a thread of Node. */
export async function startNodeJob(entry: string): Promise<Worker> {
  const script = built.get(entry) ?? buildScript(entry);
  built.set(entry, script);
  return new Worker(await script);
}

async function buildScript(entry: string): Promise<string> {
  const cache = join(process.cwd(), "node_modules/.vite");
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(join(cache, "node-job-"));
  await build({
    configFile: "tools/vite.node.config.ts",
    build: { ssr: entry, outDir, emptyOutDir: false },
    logLevel: "error",
  });
  return join(outDir, "main.js");
}
