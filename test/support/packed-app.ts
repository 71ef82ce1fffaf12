/** Installs the package, as it would be published, into an app and opens that in a browser. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "puppeteer";
import { build, createLogger, preview, type Rolldown } from "vite";
import { withPage } from "../../tools/page.mjs";
import { HELPERS_APART, loadedAtOnce } from "../../tools/size.mjs";

const root = join(import.meta.dirname, "../..");

/** What became of a page of an app in the browser. */
export interface PageReport {
  /** What the page's global `outcome` held or resolved to; undefined if it failed. */
  outcome: unknown;
  /** Uncaught errors and whatever went to the console as an error or a warning. */
  errors: string[];
  /** Names of the scripts that the page loaded. */
  scripts: string[];
}

/** An app in a folder of its own, outside of the repository, with the package installed. */
export class PackedApp {
  /** The app's folder. */
  readonly folder = mkdtempSync(join(tmpdir(), "gradus-app-"));
  /** The packed package. */
  readonly tarball: string;
  /** The scripts that were built last. */
  #chunks: readonly Rolldown.OutputChunk[] = [];

  /** Copies `fixture`, packs what dist/ holds and installs that; throws what npm says. */
  constructor(fixture: string) {
    cpSync(fixture, this.folder, { recursive: true });
    const manifest = { name: "app", private: true, type: "module" };
    writeFileSync(join(this.folder, "package.json"), JSON.stringify(manifest));
    run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", this.folder], root);
    const name = readdirSync(this.folder).find((file) => file.endsWith(".tgz")) as string;
    this.tarball = join(this.folder, name);
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    run("npm", ["install", ...quiet, `./${name}`], this.folder);
  }

  /** Names of the packages that were installed. */
  installed(): string[] {
    return readdirSync(join(this.folder, "node_modules")).filter((name) => !name.startsWith("."));
  }

  /** Runs a script of the app's folder in Node and gives what it printed. */
  runInNode(script: string, args: readonly string[] = []): string {
    return run(process.execPath, [script, ...args], this.folder);
  }

  /**
   * Checks the types of some of the app's files against the package's own; gives the complaints.
   * @param compiler the name of a package that is a version of TypeScript.
   */
  checkTypes(compiler: string, options: object, files: readonly string[]): string {
    const config = { compilerOptions: { noEmit: true, ...options }, files };
    writeFileSync(join(this.folder, "tsconfig.json"), JSON.stringify(config));
    try {
      return this.runTool(`${compiler}/bin/tsc`, ["-p", "."]);
    } catch (error) {
      return String((error as { stdout?: string }).stdout ?? error);
    }
  }

  /** Runs a command of one of the repository's packages in the app's folder. */
  runTool(file: string, args: readonly string[]): string {
    return run(process.execPath, [join(root, "node_modules", file), ...args], this.folder);
  }

  /** Builds pages of the app with Vite; gives what it warned of. */
  async build(pages: readonly string[]): Promise<string[]> {
    const warnings: string[] = [];
    const customLogger = createLogger("warn");
    customLogger.warn = (message) => warnings.push(message);
    const built = await build({
      root: this.folder,
      configFile: false,
      customLogger,
      logLevel: "warn",
      build: {
        modulePreload: false,
        rolldownOptions: {
          input: pages.map((name) => join(this.folder, name)),
          checks: { bundlerTimings: false }, // of a busy machine
          output: HELPERS_APART,
        },
      },
    });
    const { output } = built as Rolldown.RolldownOutput;
    this.#chunks = output.filter((file) => file.type === "chunk");
    return warnings;
  }

  /** Bytes of scripts that a page of the app loaded, each compressed with gzip; of those that count. */
  size(scripts: readonly string[]): number {
    const loaded = this.#chunks.filter(({ fileName }) => scripts.includes(basename(fileName)));
    return loadedAtOnce(loaded).reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  }

  /** Serves the built app and opens pages of it in headless Chromium, one after the other. */
  async open<const Names extends readonly string[]>(
    pages: Names,
  ): Promise<{ [K in keyof Names]: PageReport }> {
    const server = await preview({
      root: this.folder,
      configFile: false,
      logLevel: "error",
      preview: { port: 0, host: "localhost" },
    });
    const reports: PageReport[] = [];
    await withPage(server, async (page: Page, url: string) => {
      for (const name of pages) {
        const tab = await page.browser().newPage();
        reports.push(await visit(tab, url + name));
        await tab.close();
      }
    });
    return reports as { [K in keyof Names]: PageReport };
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
    if (["error", "warn"].includes(message.type())) errors.push(message.text());
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
