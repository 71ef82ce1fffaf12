/** A host in a worker of its own. */

import { Host } from "../../bench/harness/host.ts";
import type { Command } from "../../bench/harness/protocol.ts";
import { BROWSER_LOADERS } from "../../bench/peers/browser-loaders.ts";
import { provideDigits } from "../../bench/workloads/digits.ts";
import { loadMnist } from "../shell/mnist.ts";

provideDigits(() => loadMnist(() => {}));
const host = new Host(BROWSER_LOADERS);

self.onmessage = async ({ data }: MessageEvent<Command>) => {
  postMessage(await host.handle(data));
};
