import { builtinModules } from "node:module";
import { defineConfig } from "vite";
import { sources } from "./sources.mjs";

// An example's command-line program as one file for Node, shaders inlined; who builds says which one
// by `ssr` and `outDir`.
export default defineConfig({
  resolve: { alias: sources },
  build: {
    emptyOutDir: true,
    target: "node20",
    minify: false,
    rolldownOptions: {
      external: ["webgpu", ...builtinModules, /^node:/],
      output: { entryFileNames: "main.js" },
    },
  },
});
