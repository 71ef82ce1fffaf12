import { defineConfig } from "vite";
import { mnistFiles } from "./examples/train/mnist-files.ts";

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// Vite's own pattern ends in a dot for files without an ending, which Windows drops.
const output = { assetFileNames: "assets/[name]-[hash][extname]" };

// The training page: `npm run dev` serves it, `vite build` writes it to build/train.
export default defineConfig({
  root: "examples/train",
  base: "./",
  plugins: [mnistFiles()],
  optimizeDeps: { exclude: ["webgpu"] },
  server: { headers: isolation, fs: { allow: ["../.."] } },
  preview: { headers: isolation },
  worker: { format: "es", rolldownOptions: { output } },
  build: {
    target: "es2022",
    outDir: "../../build/train",
    emptyOutDir: true,
    rolldownOptions: { output },
  },
});
