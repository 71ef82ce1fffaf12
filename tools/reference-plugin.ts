import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const root = join(import.meta.dirname, "..");
const file = join(root, "build/reference.json");

/** When a file, or the newest file in a folder, was changed. */
function changed(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
  return Math.max(...readdirSync(path).map((name) => changed(join(path, name))));
}

/** The text of what the page Reference shows; it is made anew when sources or guides have changed. */
function referenceText(): Buffer {
  const sources = [
    "src",
    "docs",
    "package.json",
    "tools/reference.mjs",
    "tools/reference-data.mjs",
  ];
  const newest = Math.max(...sources.map((name) => changed(join(root, name))));
  if (changed(file) < newest) {
    execFileSync(process.execPath, [join(root, "tools/reference-data.mjs"), file], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return readFileSync(file);
}

const ID = "virtual:reference";
const PATH = "/@reference.json";

/** Gives the module `virtual:reference`, the address of the guides and the API as JSON. */
export function reference(): Plugin {
  let isServed = false;
  return {
    name: "reference",
    configResolved({ command }) {
      isServed = command === "serve";
    },
    resolveId(id) {
      return id === ID ? `\0${ID}` : undefined;
    },
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      if (isServed) return `export default ${JSON.stringify(PATH)};`;
      const source = referenceText();
      const asset = this.emitFile({ type: "asset", name: "reference.json", source });
      return `export default import.meta.ROLLUP_FILE_URL_${asset};`;
    },
    configureServer(server) {
      server.middlewares.use(PATH, (_, response) => {
        response.setHeader("Content-Type", "application/json");
        response.end(referenceText());
      });
    },
  };
}
