import puppeteer from "puppeteer";
import { expect, inject, test } from "vitest";

test("a page that was visited works offline, with threads", async () => {
  const { endpoint, url } = inject("site");
  const browser = await puppeteer.connect({ browserWSEndpoint: endpoint });
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await page.setOfflineMode(true);
    await page.reload();
    await page.waitForSelector('body[data-phase="training"]', { timeout: 20_000 });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.goto(`${url}train/?seed=3`);
    expect(await page.title()).toBe("Gradus · Train");
  } finally {
    await context.close();
    await browser.disconnect();
  }
});
