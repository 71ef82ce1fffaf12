import { readdirSync, statSync } from "node:fs";
import puppeteer, { type BrowserContext } from "puppeteer";
import { expect, inject, test } from "vitest";

/** Cuts pages and service workers of a window off from the network, or joins them again. */
async function setOffline(context: BrowserContext, offline: boolean): Promise<void> {
  for (const page of await context.pages()) await page.setOfflineMode(offline);
  for (const target of context.targets()) {
    if (target.type() !== "service_worker") continue;
    const session = await target.createCDPSession();
    await session.send("Network.enable");
    const limits = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await session.send("Network.emulateNetworkConditions", { offline, ...limits });
  }
}

test("all pages work offline after a visit to one, with threads", async () => {
  const { endpoint, url } = inject("site");
  const browser = await puppeteer.connect({ browserWSEndpoint: endpoint });
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await setOffline(context, true);
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

test("what is too large to be kept unasked is kept once it was loaded, and by the next version too", async () => {
  const { endpoint, folder, url } = inject("site");
  const large = readdirSync(`${folder}/assets`)
    .filter((name) => /^(t10k-images.*ubyte|ort-wasm-simd-threaded-.*wasm)/.test(name))
    .map((name) => ({
      address: `${url}assets/${name}`,
      size: statSync(`${folder}/assets/${name}`).size,
    }));
  expect(large.length).toBe(2);
  const browser = await puppeteer.connect({ browserWSEndpoint: endpoint });
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    // The worker of the very first visit asks, as those do that load all of MNIST or a library.
    const [worker] = page.workers();
    const load = (addresses: string[]) =>
      worker.evaluate(
        (all) => Promise.all(all.map(async (each) => (await (await fetch(each)).blob()).size)),
        addresses,
      );
    const addresses = large.map(({ address }) => address);
    const sizes = large.map(({ size }) => size);
    expect(await load(addresses)).toEqual(sizes);
    await page.waitForFunction(
      async (all) =>
        (await Promise.all(all.map((each) => caches.match(each, { ignoreVary: true })))).every(
          Boolean,
        ),
      { polling: 100 },
      addresses,
    );
    await setOffline(context, true);
    expect(await load(addresses)).toEqual(sizes);
    await setOffline(context, false);
    // As an earlier version would have left them: under another name.
    const moved = await page.evaluate(async (all) => {
      const registration = await navigator.serviceWorker.ready;
      const [name] = await caches.keys();
      const old = await caches.open("gradus-earlier");
      for (const each of all)
        await old.put(each, (await caches.match(each, { ignoreVary: true })) as Response);
      await caches.delete(name);
      await registration.unregister();
      return name;
    }, addresses);
    await page.reload();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    expect(await page.evaluate(() => caches.keys())).toEqual([moved]);
    await setOffline(context, true);
    await expect(page.evaluate((each) => fetch(each), `${url}nowhere`)).rejects.toThrow("fetch"); // truly offline
    const again = await page.evaluate(
      (all) => Promise.all(all.map(async (each) => (await (await fetch(each)).blob()).size)),
      addresses,
    );
    expect(again).toEqual(sizes);
  } finally {
    await context.close();
    await browser.disconnect();
  }
});
