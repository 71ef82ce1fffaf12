import type { Browser, Page } from "puppeteer";
import { createServer, type ViteDevServer } from "vite";
import { launchBrowser } from "../../tools/page.mjs";
import { PAGES } from "../../vite.config.ts";

/** One of the repository's pages, served as in development, and a browser to open it in. */
export class Site {
  private constructor(
    readonly server: ViteDevServer,
    readonly browser: Browser,
    readonly path: string,
  ) {}

  /** Serves the pages, to open one of them. */
  static async start(name: keyof typeof PAGES): Promise<Site> {
    const server = await createServer({
      configFile: "vite.config.ts",
      cacheDir: `node_modules/.vite/test-${name.toLowerCase()}`,
      server: { port: 0, host: "127.0.0.1", watch: null },
      logLevel: "error",
    });
    await server.listen();
    return new Site(server, await launchBrowser(), PAGES[name]);
  }

  /** Opens the page, waits for an element of it, and collects what goes wrong on it. */
  async open(width: number, height: number, ready: string, from = this.browser) {
    const { page, problems, url } = await this.blank(from);
    await page.setViewport({ width, height });
    await page.goto(url + this.path);
    await page.waitForSelector(ready);
    return { page, problems };
  }

  /** Gives an empty page and the server's address. */
  async blank(from = this.browser) {
    const url = this.server.resolvedUrls?.local[0] as string;
    const page = await from.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      if (!/^(blob:|data:)/.test(request.url()) && !request.url().startsWith(url)) {
        problems.push(`external request: ${request.url()}`);
      }
    });
    return { page, problems, url };
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.close();
  }
}

/** The text of the first element that fits a selector. */
export function text(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? "");
}

/** By how many pixels a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
