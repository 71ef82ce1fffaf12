import { builtinModules } from "node:module";
import { defineConfig } from "vite";
import { readVersions } from "../bench/versions.ts";
import { sources } from "./sources.mjs";

// What the bundled libraries of the CommonJS age expect of Node.
const banner = `
import { createRequire as benchRequire } from "node:module";
import { dirname as benchDirname } from "node:path";
import { fileURLToPath as benchPath } from "node:url";
const require = benchRequire(import.meta.url);
const __filename = benchPath(import.meta.url);
const __dirname = benchDirname(__filename);`;

// The benchmark for Node as one file that needs no package: shaders and WebAssembly inlined.
export default defineConfig({
  resolve: { alias: sources },
  define: { BENCH_VERSIONS: JSON.stringify(readVersions()) },
  ssr: { noExternal: true },
  build: {
    ssr: "bench/node/main.ts",
    outDir: "build/bench-node",
    emptyOutDir: true,
    target: "node20",
    minify: false,
    assetsInlineLimit: 16 * 1024 * 1024,
    rolldownOptions: {
      external: ["webgpu", ...builtinModules, /^node:/],
      output: { entryFileNames: "main.mjs", codeSplitting: false, banner },
    },
  },
});
