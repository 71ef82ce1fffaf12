import { defineConfig } from "vite";

const folders = ["nn", "losses", "metrics", "optim", "data", "train", "io"];

// The package: one ES module for each entry, shared code in chunks, readable.
export default defineConfig({
  build: {
    lib: {
      entry: {
        index: "src/index.ts",
        ...Object.fromEntries(folders.map((name) => [`${name}/index`, `src/${name}/index.ts`])),
      },
      formats: ["es"],
    },
    target: "es2022",
    minify: false,
    sourcemap: true,
    outDir: "dist",
    copyPublicDir: false,
    rolldownOptions: {
      external: ["webgpu"],
      output: { preserveModules: true, preserveModulesRoot: "src", entryFileNames: "[name].js" },
    },
  },
});
