import { expect, test } from "vitest";
import {
  expectSound,
  numberIn,
  text,
  useSite,
  waitForMovement,
  waitForPhase,
} from "../support/site.ts";

const site = useSite();

test.each([
  [1280, false],
  [390, true],
])("at %d pixels a network learns by itself, pauses, steps and goes on", async (width, dark) => {
  const opened = await site.open("", { width, dark });
  const { page } = opened;
  await waitForMovement(page, "#surface");
  await waitForPhase(page, "training");
  await page.waitForFunction(() => Number(document.getElementById("loss")?.textContent) < 0.68);
  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  expect(await text(page, ".run .primary")).toBe("Continue");
  expect(await page.$eval(".run .primary", (x) => document.activeElement === x)).toBe(true);
  await page.click(".run button:nth-child(2)");
  const step = await numberIn(page, "#step");
  await page.click(".run .primary");
  await page.waitForFunction(
    (before) => Number(document.getElementById("step")?.textContent?.replaceAll(",", "")) > before,
    {},
    step,
  );
  await expectSound(opened);
  await page.close();
});

test("waits for readers who asked for little movement, and keeps the theme", async () => {
  const { page } = await site.open("", { calm: true });
  await waitForPhase(page, "paused");
  expect(await text(page, "#step")).toBe("0");
  await page.select("#theme", "dark");
  await page.reload();
  expect(await page.$eval("html", (html) => getComputedStyle(html).colorScheme)).toBe("dark");
  await page.select("#theme", "");
  await page.close();
});

test("shows the program that runs, and leads to the other pages", async () => {
  const { page } = await site.open("");
  await page.waitForSelector("#code pre");
  expect(await text(page, "#code pre")).toMatch(/^export default trainJob\(async/);
  const title = await text(page, ".map a");
  await Promise.all([page.waitForNavigation(), page.click(".map a")]);
  expect(await page.title()).toBe(`Gradus · ${title}`);
  await page.close();
});

test("says when its scripts do not load", async () => {
  const { page } = await site.blank();
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (/assets\/.*\.js$/.test(request.url())) request.abort();
    else request.continue();
  });
  await page.goto(site.url);
  await page.waitForSelector("#error:not([hidden])");
  expect(await text(page, "#error")).toMatch(/^The page's scripts could not be loaded\./);
  await page.close();
});
