/** Builds a file of an app as other bundlers than Vite do, each as one classic script for browsers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { type Plugin, rollup } from "rollup";
import webpack from "webpack";

/** Builds `entry` of the app in `folder` into `out/worker.js` and gives what the bundler warned of. */
export type Bundler = (folder: string, entry: string, out: string) => Promise<string[]>;

export const bundlers: Readonly<Record<"esbuild" | "rollup" | "webpack", Bundler>> = {
  async esbuild(folder, entry, out) {
    const { warnings } = await esbuild.build({
      absWorkingDir: folder,
      entryPoints: [entry],
      outfile: join(out, "worker.js"),
      bundle: true,
      minify: true,
      format: "iife",
      logLevel: "silent",
    });
    return warnings.map(({ text }) => text);
  },

  async rollup(folder, entry, out) {
    const warnings: string[] = [];
    const bundle = await rollup({
      input: join(folder, entry),
      plugins: [packagesOf(folder)],
      onwarn: ({ message }) => warnings.push(message),
    });
    // A worker of Vite 6 and 7: this format cannot load anything later.
    await bundle.write({ format: "iife", file: join(out, "worker.js") });
    return warnings;
  },

  webpack(folder, entry, out) {
    const compiler = webpack({
      context: folder,
      entry: `./${entry}`,
      target: "webworker",
      mode: "production",
      performance: { hints: false }, // a page's size is its own affair
      output: { path: out, filename: "worker.js" },
    });
    return new Promise((resolve, reject) => {
      compiler?.run((error, stats) => {
        const { errors = [], warnings = [] } =
          stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
        compiler.close(() => {
          if (error ?? errors[0]) reject(error ?? new Error(errors[0].message));
          else resolve(warnings.map(({ message }) => message));
        });
      });
    });
  },
};

/** Finds packages by the condition `default` of their `exports`, and what they import by `imports`. */
function packagesOf(folder: string): Plugin {
  return {
    name: "packages",
    resolveId(source, importer = "") {
      const [, name, rest = ""] = /^([a-z][\w-]*)(\/.*)?$/.exec(source) ?? [];
      const own = /^.*\/node_modules\/[\w-]+/.exec(importer)?.[0];
      const home = name === undefined ? own : join(folder, "node_modules", name);
      if (home === undefined || (name === undefined && !source.startsWith("#"))) return null;
      const { exports, imports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
      return join(home, (name === undefined ? imports[source] : exports[`.${rest}`]).default);
    },
  };
}
