import { defineBrowserProvider } from "@vitest/browser";
import type { Browser, CDPSession, Page } from "puppeteer";
import type { BrowserProvider } from "vitest/node";
import { BROWSER_FLAGS } from "../../tools/browser.mjs";
import { launchBrowser } from "../../tools/page.mjs";

/**
 * Has workgroup memory cleared by a loop. The extension that Dawn takes otherwise makes the
 * software adapter write a store for each element: a tiled product compiles 14 times as long.
 */
const CLEAR_BY_LOOP =
  "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension";

/** Runs browser tests in headless Chromium through puppeteer, one page a session. */
export const puppeteerProvider = defineBrowserProvider({
  name: "puppeteer",
  supportedBrowser: ["chromium"],
  providerFactory: () => new PuppeteerProvider(),
});

class PuppeteerProvider implements BrowserProvider {
  readonly name = "puppeteer";
  readonly supportsParallelism = false;
  #browser: Promise<Browser> | undefined;
  readonly #pages = new Map<string, Page>();

  getCommandsContext(sessionId: string): Record<string, unknown> {
    return { page: this.#pages.get(sessionId) };
  }

  async openPage(sessionId: string, url: string): Promise<void> {
    this.#browser ??= launchBrowser({
      protocolTimeout: 600_000,
      args: [...BROWSER_FLAGS, CLEAR_BY_LOOP],
    });
    const page = await (await this.#browser).newPage();
    this.#pages.set(sessionId, page);
    await page.goto(url, { timeout: 60_000 });
  }

  async getCDPSession(sessionId: string) {
    const page = this.#pages.get(sessionId) as Page;
    const session: CDPSession = await page.createCDPSession();
    type Send = (method: string, params?: Record<string, unknown>) => Promise<unknown>;
    const on = (event: string, listener: (...args: unknown[]) => void) =>
      session.on(event as never, listener as never);
    return {
      send: session.send.bind(session) as unknown as Send,
      on,
      once: (event: string, listener: (...args: unknown[]) => void) =>
        session.once(event as never, listener as never),
      off: (event: string, listener: (...args: unknown[]) => void) =>
        session.off(event as never, listener as never),
    } as unknown as ReturnType<NonNullable<BrowserProvider["getCDPSession"]>>;
  }

  async close(): Promise<void> {
    await (await this.#browser)?.close();
  }
}
