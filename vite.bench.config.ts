import { defineConfig } from "vite";
import { readVersions } from "./bench/versions.ts";

// With both headers shared memory, and so threads in WebAssembly, are there for every library.
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// The page Bench: `npm run dev:bench` serves it, `npm run bench` builds and opens it.
export default defineConfig({
  root: "bench/page",
  base: "./",
  define: { BENCH_VERSIONS: JSON.stringify(readVersions()) },
  optimizeDeps: {
    entries: ["index.html", "worker.ts"],
    exclude: ["webgpu", "onnxruntime-web"],
  },
  server: { headers: isolation, fs: { allow: ["../.."] } },
  preview: { headers: isolation },
  worker: { format: "es" },
  build: {
    target: "es2022",
    minify: false, // tfjs-wasm hands the text of one of its functions to its threads
    outDir: "../../build/bench",
    emptyOutDir: true,
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
  },
});
