// @ts-check
// Finds a browser for tests and pages, or brings one.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir, platform } from "node:os";
import { delimiter, join } from "node:path";

const VARIABLES = ["GRADUS_BROWSER", "CHROME_PATH", "PUPPETEER_EXECUTABLE_PATH"];

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ...["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].map((name) =>
    join(process.env[name] ?? "", "Google/Chrome/Application/chrome.exe"),
  ),
  "/snap/bin/chromium",
];

/** Flags under which headless Chromium gives WebGPU, also without a GPU. */
export const BROWSER_FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-gpu-process-crash-limit",
  "--disable-domain-blocking-for-3d-apis",
];

/**
 * Gives the path of a browser that is here: named by a variable, installed, or puppeteer's own.
 * @param {Record<string, string | undefined>} environment
 * @returns {string | undefined}
 */
export function findBrowser(environment = process.env) {
  for (const name of VARIABLES) {
    const path = environment[name];
    if (!path) continue;
    if (existsSync(path)) return path;
    throw new Error(`browser: ${name} is ${path}, which is not there; expected a browser's path`);
  }
  const folders = (environment.PATH ?? "").split(delimiter);
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...PLACES].find((path) => existsSync(path)) ?? findDownloaded();
}

function findDownloaded() {
  const cache = process.env.PUPPETEER_CACHE_DIR ?? join(homedir(), ".cache", "puppeteer");
  const root = join(cache, "chrome");
  if (!existsSync(root)) return undefined;
  const inside = ["chrome-linux64/chrome", "chrome-win64/chrome.exe", macPath()];
  const paths = readdirSync(root).flatMap((build) => inside.map((path) => join(root, build, path)));
  return paths.find((path) => existsSync(path));
}

function macPath() {
  const app = "Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing";
  return join(process.arch === "arm64" ? "chrome-mac-arm64" : "chrome-mac-x64", app);
}

/**
 * Finds a browser or installs one; throws in one line where none can be had.
 * @returns {string}
 */
export function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  const debian = platform() === "linux" && existsSync("/usr/bin/apt-get");
  if (debian && process.getuid?.() === 0) {
    console.error("No browser yet: installing Chromium …");
    /** @type {import("node:child_process").SpawnSyncOptions} */
    const options = { stdio: ["ignore", "ignore", "inherit"], timeout: 300_000 };
    spawnSync("apt-get", ["update", "-qq"], options);
    spawnSync(
      "apt-get",
      ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
      { ...options, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } },
    );
  }
  return findBrowser() ?? download();
}

function download() {
  try {
    console.error("No browser yet: downloading Chrome for Testing …");
    const npx = platform() === "win32" ? "npx.cmd" : "npx";
    execFileSync(npx, ["puppeteer", "browsers", "install", "chrome"], {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: 300_000,
      shell: platform() === "win32",
    });
  } catch {
    // Told below, in one line.
  }
  const found = findBrowser();
  if (found) return found;
  throw new Error(
    "browser: none found; expected Chrome or Chromium. Install it (Debian: apt-get install " +
      "chromium) or set GRADUS_BROWSER to its path",
  );
}
