import puppeteer from "puppeteer";
import { expect, inject, test } from "vitest";

test("all pages work offline after a visit to one, with threads", async () => {
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
    await page.waitForSelector('body[data-phase="training"]', { timeout: 20_000 }); // on its digits
    // By other names of its address too, with the guides that only this page loads.
    for (const address of ["reference/index.html", "reference"]) {
      await page.goto(url + address);
      await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Setting up");
    }
    expect(page.url()).toBe(`${url}reference/`);
    // What no page has asked for yet is kept: all scripts of all pages, and what they read.
    const kept = await page.evaluate(async () => {
      const [name] = await caches.keys();
      return (await (await caches.open(name)).keys()).map((request) => request.url);
    });
    for (const file of [/doctor\/$/, /digits[^/]*$/, /\/worker-[^/]+\.js$/]) {
      expect(kept.some((each) => file.test(each))).toBe(true);
    }
  } finally {
    await context.close();
    await browser.disconnect();
  }
});
