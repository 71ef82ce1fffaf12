// The developer's gate, quickest first; stops at the first failure.
import { spawnSync } from "node:child_process";

const steps = [
  ["npx", "biome", "check", "."],
  ["npx", "tsc", "--noEmit"],
  ["npx", "vitest", "run", "--project", "node"],
  ["npx", "vitest", "run", "--project", "webgpu"],
];
for (const [command, ...args] of steps) {
  console.log(`\n— ${args.join(" ")}`);
  const shell = process.platform === "win32";
  const { status } = spawnSync(command, args, { stdio: "inherit", shell });
  if (status !== 0) process.exit(status ?? 1);
}
