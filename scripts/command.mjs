// The common part of commands, for scripts: it is written in TypeScript, as the examples are.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// Stays open, since files are written by what is loaded late; it keeps no process running.
const server = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  appType: "custom",
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, watch: null, ws: false },
});

export const { parse, ResultFile, readChoice, readNumber, readPath, run, say, tell } =
  await server.ssrLoadModule(join(root, "examples/command/index.ts"));
