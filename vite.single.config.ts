import { defineConfig, type Plugin } from "vite";
import { bareShaders } from "./vite.lib.config.ts";

/** Puts in place what the modules load on demand, so that no module waits to be asked for. */
function atOnce(): Plugin {
  return {
    name: "at-once",
    enforce: "pre",
    load(id) {
      if (!id.endsWith("/devices/on-demand.ts")) return null;
      return `import * as cpu from "./cpu/cpu-device.ts";
        import * as profiler from "./webgpu/profiler.ts";
        export const onDemand = { cpu: async () => cpu, profiler: async () => profiler };`;
    },
  };
}

// Every entry in one minified file, for pages that load it without a bundler.
export default defineConfig({
  plugins: [bareShaders(), atOnce()],
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
