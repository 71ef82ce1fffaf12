// @ts-check
// Opens pages in headless Chromium.
import puppeteer from "puppeteer";
import { BROWSER_FLAGS, ensureBrowser } from "./browser.mjs";

/**
 * Starts headless Chromium with WebGPU; `options` are puppeteer's, with other flags in `args`.
 * @param {import("puppeteer").LaunchOptions} options
 */
export function launchBrowser(options = {}) {
  return puppeteer.launch({ executablePath: ensureBrowser(), args: BROWSER_FLAGS, ...options });
}

/**
 * Gives `use` a blank page and the address of a Vite server; closes browser and server after it.
 * @template T
 * @param {import("vite").PreviewServer | import("vite").ViteDevServer} server
 * @param {(page: import("puppeteer").Page, url: string) => Promise<T>} use
 * @param {import("puppeteer").LaunchOptions} [options]
 * @returns {Promise<T>}
 */
export async function withPage(server, use, options) {
  let browser;
  try {
    browser = await launchBrowser(options);
    return await use(await browser.newPage(), String(server.resolvedUrls?.local[0]));
  } finally {
    await browser?.close();
    await server.close();
  }
}
