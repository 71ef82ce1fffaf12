import { nodeModule } from "./core/node-module.ts";
import { cacheFolder, fileCache } from "./datasets/cache.ts";
import { Tunings } from "./devices/webgpu/tunings.ts";

/** The name of a page's cache. */
const CACHE = "gradus-tuning";

/** What was measured on this machine: kept in a page's cache, and by Node in a file. */
export const tunings = /* @__PURE__ */ new Tunings(() =>
  fileCache(nodeModule("fs/promises") ? cacheFolder("tuning") : CACHE),
);
