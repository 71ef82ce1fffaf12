/** Installs the package, as it would be published, into an app and opens that in a browser. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "puppeteer";
import { build, preview } from "vite";
import { withPage } from "../../scripts/page.mjs";

const root = join(import.meta.dirname, "../..");

/** What became of an app in the browser. */
export interface PageReport {
  /** What the page's global `outcome` held or resolved to; undefined if it failed. */
  outcome: unknown;
  /** Uncaught errors and whatever went to the console as an error. */
  errors: string[];
  /** Names of the scripts that the page loaded. */
  scripts: string[];
}

/** An app in a folder of its own, outside of the repository, with the package installed. */
export class PackedApp {
  /** The app's folder. */
  readonly folder = mkdtempSync(join(tmpdir(), "gradus-app-"));

  /** Copies `fixture`, packs what dist/ holds and installs that; throws what npm says. */
  constructor(fixture: string) {
    cpSync(fixture, this.folder, { recursive: true });
    const manifest = { name: "app", private: true, type: "module" };
    writeFileSync(join(this.folder, "package.json"), JSON.stringify(manifest));
    run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", this.folder], root);
    const tarball = readdirSync(this.folder).find((name) => name.endsWith(".tgz")) as string;
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    run("npm", ["install", ...quiet, `./${tarball}`], this.folder);
  }

  /** Names of the packages that were installed. */
  installed(): string[] {
    return readdirSync(join(this.folder, "node_modules")).filter((name) => !name.startsWith("."));
  }

  /** Runs a script of the app's folder in Node and gives what it printed. */
  runInNode(script: string): string {
    return run(process.execPath, [script], this.folder);
  }

  /** Checks the app's types against the package's own; gives the compiler's complaints. */
  checkTypes(options: readonly string[]): string {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    try {
      return run(process.execPath, [compiler, "--noEmit", ...options], this.folder);
    } catch (error) {
      return String((error as { stdout?: string }).stdout ?? error);
    }
  }

  /** Builds the app. */
  async build(): Promise<void> {
    await build({
      root: this.folder,
      configFile: false,
      logLevel: "error",
      build: { modulePreload: false }, // Vite's helpers for preloading are no part of the package
    });
  }

  /** Bytes of scripts of the built app, each compressed with gzip. */
  size(scripts: readonly string[]): number {
    const assets = join(this.folder, "dist/assets");
    return scripts.reduce(
      (sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length,
      0,
    );
  }

  /** Serves the built app and opens it in headless Chromium. */
  async open(): Promise<PageReport> {
    const server = await preview({
      root: this.folder,
      configFile: false,
      logLevel: "error",
      preview: { port: 0, host: "localhost" },
    });
    return withPage(server, visit);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function visit(page: Page, url: string): Promise<PageReport> {
  const errors: string[] = [];
  const scripts: string[] = [];
  page.on("response", (response) => {
    const name = /\/assets\/([^/]+\.js)$/.exec(response.url())?.[1];
    if (name) scripts.push(name);
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  const outcome = await page.evaluate("globalThis.outcome").catch((error: Error) => {
    errors.push(error.message);
    return undefined;
  });
  return { outcome, errors, scripts };
}

function run(command: string, args: readonly string[], cwd: string): string {
  const shell = process.platform === "win32" && command === "npm";
  return execFileSync(command, args, { cwd, shell, encoding: "utf8", stdio: "pipe" });
}
