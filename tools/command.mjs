// @ts-check
// The common part of commands, for scripts: it is written in TypeScript, as the examples are.
import { join } from "node:path";
import { loader, root } from "./sources.mjs";

// Stays open, since files are written by what is loaded late; it keeps no process running.
const server = await loader();

/** @type {typeof import("../examples/command/index.ts")} */
const command = /** @type {any} */ (
  await server.ssrLoadModule(join(root, "examples/command/index.ts"))
);
export const {
  parse,
  ResultFile,
  readChoice,
  readNumber,
  readPath,
  run,
  say,
  shown,
  tell,
  UsageError,
} = command;
