import type { InitOptions } from "../../src/index.ts";
import type { Loaders } from "./index.ts";

const gradus = async (options: InitOptions) => (await import("./gradus.ts")).createGradus(options);

/** The peers that run wherever Gradus does. */
export const LOADERS: Loaders = {
  "gradus-webgpu": () => gradus({ device: "webgpu" }),
  "gradus-cpu": () => gradus({ device: "cpu", engine: "compiled", threads: 1 }),
  "gradus-cpu-plain": () => gradus({ device: "cpu", engine: "plain" }),
  "gradus-cpu-threads": () => gradus({ device: "cpu", engine: "compiled", threads: 2 }),
  "tfjs-webgpu": async () => (await import("./tfjs-webgpu.ts")).create(),
  "tfjs-wasm": async () => (await import("./tfjs-wasm.ts")).create(),
  "tfjs-cpu": async () => (await import("./tfjs-cpu.ts")).create(),
  "jax-js-webgpu": async () => (await import("./jax.ts")).createJax("webgpu"),
  "jax-js-wasm": async () => (await import("./jax.ts")).createJax("wasm"),
};
