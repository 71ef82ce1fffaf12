import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const folders = [
  "nn",
  "losses",
  "metrics",
  "optim",
  "data",
  "csv",
  "pictures",
  "text",
  "webgpu",
  "worker",
  "datasets",
  "audio",
  "train",
  "io",
  "fluent",
];

/**
 * Leaves comments and most blanks out of shaders, but not their lines, so that a compiler's message
 * still points to the line of the file.
 */
export function bareShaders(): Plugin {
  return {
    name: "bare-shaders",
    enforce: "pre",
    load(id) {
      if (!id.endsWith(".wgsl?raw")) return null;
      const lines = readFileSync(id.slice(0, -"?raw".length), "utf8").split("\n");
      const bare = lines.map((line) =>
        line
          .replace(/\/\/.*$/, "")
          .replace(/([,:;]) /g, "$1")
          .replace(/ ([-+*/%<>=&|^!]+) /g, "$1")
          .replace(/ \{/g, "{")
          .trim(),
      );
      return `export default ${JSON.stringify(bare.join("\n"))}`;
    },
  };
}

/**
 * Leaves the choice between advice.ts and no-advice.ts to whoever resolves `#advice`, of which
 * package.json tells both.
 */
function adviceApart(): Plugin {
  return {
    name: "advice-apart",
    enforce: "pre",
    resolveId(source, importer) {
      return importer && source.endsWith("/advice.ts") ? { id: "#advice", external: true } : null;
    },
  };
}

/**
 * Has the index import `init` before ops, as its source does: so devices follow the engine in an
 * app's script, where what is alike lies together and compresses by 1 % more.
 */
function devicesFirst(): Plugin {
  const moved = /((?:import .* "\.\/ops\/.*\n)+)(import .* "\.\/init\.js";\n)/;
  return { name: "devices-first", renderChunk: (code) => code.replace(moved, "$2$1") };
}

// The package: one ES module for each entry, shared code in chunks, readable.
export default defineConfig({
  plugins: [bareShaders(), adviceApart(), devicesFirst()],
  build: {
    lib: {
      entry: {
        index: "src/index.ts",
        inline: "src/inline.ts",
        "io/browser": "src/io/browser.ts",
        "core/advice": "src/core/advice.ts",
        "core/no-advice": "src/core/no-advice.ts",
        ...Object.fromEntries(folders.map((name) => [`${name}/index`, `src/${name}/index.ts`])),
      },
      formats: ["es"],
    },
    target: "es2022",
    minify: false,
    outDir: "dist",
    copyPublicDir: false,
    rolldownOptions: {
      external: ["webgpu", /^node:/],
      // A limit that one module names and another goes by is a number in the app.
      optimization: { inlineConst: true },
      output: { preserveModules: true, preserveModulesRoot: "src", entryFileNames: "[name].js" },
    },
  },
});
