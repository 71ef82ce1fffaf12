import { createRequire } from "node:module";
import { findGpu } from "../../src/devices/webgpu/adapter.ts";
import { Host } from "../harness/host.ts";
import type { Command } from "../harness/protocol.ts";
import { usesGpu } from "../peers/index.ts";
import { NODE_LOADERS } from "../peers/node-loaders.ts";

/** Serves commands of the parent process until that ends. */
export function serveParent(): void {
  const host = new Host(NODE_LOADERS);
  process.on("message", async (command: Command) => {
    if (command.kind === "adapter" || (command.kind === "open" && usesGpu(command.peer))) {
      await provideGpu();
    }
    process.send?.(await host.handle(command));
  });
  process.on("disconnect", () => process.exit(0));
}

/**
 * Makes WebGPU global, as libraries for browsers want it: from the module that DAWN_NODE names (it
 * exports `create` and `globals`), else from the package `webgpu`. Without either nothing is done.
 */
async function provideGpu(): Promise<void> {
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
