import type { Loaders } from "./index.ts";
import { LOADERS } from "./loaders.ts";

/** The peers that a browser has. */
export const BROWSER_LOADERS: Loaders = {
  ...LOADERS,
  "ort-webgpu": async () => (await import("./ort-webgpu.ts")).create(),
  "ort-wasm": async () => (await import("./ort-wasm.ts")).create(),
};
