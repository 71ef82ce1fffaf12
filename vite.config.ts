import { defineConfig } from "vite";
import { mnistFiles } from "./examples/train/mnist-files.ts";

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// The training page: `npm run dev` serves it, `vite build` writes it to build/train.
export default defineConfig({
  root: "examples/train",
  base: "./",
  plugins: [mnistFiles()],
  optimizeDeps: { exclude: ["webgpu"] },
  server: { headers: isolation, fs: { allow: ["../.."] } },
  preview: { headers: isolation },
  worker: { format: "es" },
  build: { target: "es2022", outDir: "../../build/train", emptyOutDir: true },
});
