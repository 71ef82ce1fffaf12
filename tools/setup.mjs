// @ts-check
// Runs before every command: installs dependencies when they are missing or stale and, with
// --browser, makes sure that a browser is there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`setup: Node ${process.versions.node}; expected 20.19 or newer`);
}

const lock = readFileSync(join(root, "package-lock.json"));
const wanted = createHash("sha256").update(lock).digest("hex");
const stamp = join(root, "node_modules", ".gradus-lock");
const present = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
if (present !== wanted) {
  console.error("Installing dependencies …");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) fail("setup: npm ci failed; expected a network or a filled cache");
  writeFileSync(stamp, wanted);
}

if (process.argv.includes("--browser")) {
  const { ensureBrowser } = await import("./browser.mjs");
  try {
    ensureBrowser();
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}
