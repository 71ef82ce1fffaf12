// Bundles the MNIST example for Node and runs it with the arguments of `npm start -- …`.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
await build({ root, configFile: join(root, "vite.node.config.ts"), logLevel: "warn" });

const args = ["--enable-source-maps", join(root, "build", "mnist.js"), ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: "inherit" });

// A terminal sends Ctrl-C to both processes: the child decides what it means, this one waits.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
