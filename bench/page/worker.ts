/** A host in a worker of its own. */

import { loadMnist } from "../../examples/train/mnist.ts";
import { Host } from "../harness/host.ts";
import type { Command } from "../harness/protocol.ts";
import { BROWSER_LOADERS } from "../peers/browser-loaders.ts";
import { provideDigits } from "../workloads/digits.ts";

provideDigits(() => loadMnist(() => {}));
const host = new Host(BROWSER_LOADERS);

self.onmessage = async ({ data }: MessageEvent<Command>) => {
  postMessage(await host.handle(data));
};
