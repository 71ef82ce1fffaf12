import { defineConfig } from "vite";
import { bareShaders } from "./vite.lib.config.ts";

// Every entry in one minified file, for pages that load it without a bundler.
export default defineConfig({
  plugins: [bareShaders()],
  build: {
    lib: { entry: "src/all.ts", formats: ["es"], fileName: () => "gradus.min.js" },
    target: "es2022",
    minify: true,
    outDir: "dist",
    emptyOutDir: false,
    copyPublicDir: false,
    rolldownOptions: {
      external: ["webgpu"],
      output: { codeSplitting: false, minify: true },
    },
  },
});
