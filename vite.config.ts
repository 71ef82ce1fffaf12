import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { readVersions } from "./bench/versions.ts";
import { mnistFiles } from "./examples/train/mnist-files.ts";
import { isolation, sources } from "./tools/sources.mjs";

/** Where the app's pages lie. */
export const PAGES = { Train: "examples/train/", Bench: "bench/page/" };

// Vite's own pattern ends in a dot for files without an ending, which Windows drops.
const output = { assetFileNames: "assets/[name]-[hash][extname]" };

/** Leads from the server's address to the page Train, and tells where both pages are. */
function frontDoor(): Plugin {
  return {
    name: "front-door",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (request.url !== "/") return next();
        response.writeHead(302, { Location: `/${PAGES.Train}` }).end();
      });
      const print = server.printUrls;
      server.printUrls = () => {
        print();
        const url = server.resolvedUrls?.local[0];
        for (const [name, path] of Object.entries(PAGES)) {
          server.config.logger.info(`  ➜  ${name}: ${url}${path}`);
        }
      };
    },
  };
}

// The pages Train and Bench: `npm run dev` serves them, `vite build` writes them to build/pages.
export default defineConfig({
  base: "./",
  appType: "mpa",
  // Servers that run at the same time do not clear away what another has made ready.
  cacheDir: `node_modules/.vite/${process.env.npm_lifecycle_event?.replace(/\W/g, "-") ?? "pages"}`,
  resolve: { alias: sources },
  plugins: [mnistFiles(), frontDoor()],
  define: { BENCH_VERSIONS: JSON.stringify(readVersions()) },
  optimizeDeps: {
    entries: Object.values(PAGES).flatMap((path) => [`${path}index.html`, `${path}worker.ts`]),
    exclude: ["webgpu", "onnxruntime-web"],
  },
  server: { headers: isolation, watch: { ignored: ["**/build/**", "**/dist/**", "**/runs/**"] } },
  preview: { headers: isolation },
  worker: { format: "es", rolldownOptions: { output } },
  build: {
    target: "es2022",
    minify: false, // tfjs-wasm hands the text of one of its functions to its threads
    outDir: "build/pages",
    emptyOutDir: true,
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    rolldownOptions: {
      input: Object.values(PAGES).map((path) => join(import.meta.dirname, path, "index.html")),
      output,
    },
  },
});
