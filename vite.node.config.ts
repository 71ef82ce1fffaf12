import { builtinModules } from "node:module";
import { defineConfig } from "vite";

// The command-line program as one file for Node, shaders inlined.
export default defineConfig({
  build: {
    ssr: "examples/mnist/main.ts",
    outDir: "build/mnist",
    emptyOutDir: true,
    target: "node20",
    minify: false,
    rolldownOptions: {
      external: ["webgpu", "cli-progress", ...builtinModules, /^node:/],
      output: { entryFileNames: "main.js" },
    },
  },
});
