// @ts-check
// Where the library's sources are, for servers and builds of this repository.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What stands behind `gradus` and `gradus/nn` here: the sources in place of a built package. */
export const sources = [
  { find: /^gradus$/, replacement: join(root, "src/index.ts") },
  { find: /^gradus\/(\w+)$/, replacement: join(root, "src/$1/index.ts") },
];

/** Headers under which shared memory, and so threads in WebAssembly, are there for every library. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Starts a server of the sources without a config file.
 * @param {import("vite").InlineConfig} options
 */
export function serve(options) {
  return createServer({
    root,
    configFile: false,
    logLevel: "error",
    resolve: { alias: sources },
    ...options,
  });
}

/** Starts a server that loads modules written in TypeScript into this process, by `ssrLoadModule`. */
export function loader() {
  return serve({
    appType: "custom",
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, watch: null, ws: false },
  });
}

/** Serves the files of the repository at an address of their own, for pages of tests and commands. */
export async function pages() {
  const server = await serve({
    optimizeDeps: { noDiscovery: true, exclude: ["webgpu"] },
    server: { port: 0, host: "127.0.0.1", watch: null },
  });
  return server.listen();
}
