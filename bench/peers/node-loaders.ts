import type { Loaders } from "./index.ts";

/** The peers that Node has: ONNX Runtime Web is left out, since Node has a runtime of its own. */
export const NODE_LOADERS: Loaders = {
  "gradus-webgpu": async () => (await import("./gradus.ts")).createGradus("webgpu"),
  "gradus-cpu": async () => (await import("./gradus.ts")).createGradus("cpu"),
  "tfjs-webgpu": async () => (await import("./tfjs-webgpu.ts")).create(),
  "tfjs-wasm": async () => (await import("./tfjs-wasm.ts")).create(),
  "tfjs-cpu": async () => (await import("./tfjs-cpu.ts")).create(),
  "jax-js-webgpu": async () => (await import("./jax.ts")).createJax("webgpu"),
  "jax-js-wasm": async () => (await import("./jax.ts")).createJax("wasm"),
};
