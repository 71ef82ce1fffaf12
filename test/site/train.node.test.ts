import type { Browser, Page } from "puppeteer";
import { expect, test } from "vitest";
import { BROWSER_FLAGS } from "../../tools/browser.mjs";
import { launchBrowser } from "../../tools/page.mjs";
import { overflow, text, useSite, waitForPhase } from "../support/site.ts";

const site = useSite();

const open = async (width: number, browser?: Browser) => {
  const opened = await site.open("train/", { width, browser });
  await opened.page.waitForSelector("#seed");
  return opened;
};

async function fill(page: Page, id: string, value: string): Promise<void> {
  await page.click(`#${id}`, { count: 3 });
  await page.type(`#${id}`, value);
}

async function number(page: Page, figure: string): Promise<number> {
  return Number.parseFloat((await text(page, `#figure-${figure}`)).replaceAll(",", ""));
}

async function step(page: Page): Promise<number> {
  return (await number(page, "step")) || 0;
}

async function waitForStep(page: Page, wanted: number): Promise<void> {
  await page.waitForFunction(
    (least) => {
      const shown = document.getElementById("figure-step")?.textContent ?? "";
      return Number.parseInt(shown.replaceAll(",", ""), 10) >= least;
    },
    { timeout: 45_000 },
    wanted,
  );
}

async function train(page: Page, device: string): Promise<void> {
  await page.select("#device", device);
  await fill(page, "learningRate", "1");
  await page.click("#start");
  await waitForPhase(page, "training");
}

/** Draws a seven and gives the probabilities that appear. */
async function draw(page: Page): Promise<number[]> {
  const pad = await page.$("#pad");
  await pad?.scrollIntoView();
  const box = await pad?.boundingBox();
  if (!box) throw new Error("no pad");
  const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(0.3, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.2), { steps: 4 });
  await page.mouse.move(...at(0.45, 0.85), { steps: 6 });
  await page.mouse.up();
  await page.waitForSelector("#probabilities .best", { timeout: 20_000 });
  return page.$$eval("#probabilities li", (items) =>
    items.map((item) => Number((item as HTMLElement).dataset.probability)),
  );
}

test("trains on WebGPU, pauses, reads a drawing, shows mistakes", { timeout: 90_000 }, async () => {
  const { page, problems } = await open(1280);
  await page.evaluate(() => {
    const count = () => {
      document.body.dataset.frames = String(Number(document.body.dataset.frames ?? 0) + 1);
      requestAnimationFrame(count);
    };
    count();
  });
  await train(page, "webgpu");
  expect(await text(page, "#detail")).toMatch(/Why WebGPU: asked for/);

  await waitForStep(page, 20);
  const frames = () => page.$eval("body", (body) => Number(body.dataset.frames));
  const before = await frames();
  await waitForStep(page, 60);
  expect((await frames()) - before).toBeGreaterThan(5);

  await page.click("#pause");
  await waitForPhase(page, "paused");
  const paused = await step(page);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await step(page)) - paused).toBeLessThanOrEqual(50); // what was under way
  const still = await step(page);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await step(page)).toBe(still);

  await page.click("#pause");
  await waitForPhase(page, "training");
  await waitForStep(page, 200);
  const probabilities = await draw(page);
  expect(probabilities).toHaveLength(10);
  expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 4);

  await page.click("#stop");
  await waitForPhase(page, "stopped");
  expect(await number(page, "testAccuracy")).toBeGreaterThan(60); // 10 % at the start
  expect(await number(page, "loss")).toBeLessThan(1.5); // ln 10 = 2.3 at the start
  expect(await page.$$eval("#sheet canvas", (items) => items.length)).toBe(24);
  expect(await text(page, "#sheet li")).toMatch(/^\d → \d\d+\s%$/);
  expect(await overflow(page)).toBe(0);
  expect(problems).toEqual([]);
  await page.close();
});

test("works at phone width and says what a field expects", { timeout: 90_000 }, async () => {
  const { page, problems } = await open(360);
  expect(await overflow(page)).toBe(0);
  await fill(page, "batchSize", "0");
  await page.click("#start");
  expect(await text(page, "#batchSize-error")).toBe("Expected a whole number from 1 to 10,000.");
  expect(await page.$eval("#batchSize", (x) => document.activeElement === x)).toBe(true);

  await fill(page, "batchSize", "50");
  await train(page, "cpu");
  expect(await text(page, "#status")).toBe("Training on the CPU.");
  await waitForStep(page, 30);
  expect(await page.$eval("#seed", (x) => (x as HTMLInputElement).disabled)).toBe(true);
  await fill(page, "learningRate", "-1");
  await page.keyboard.press("Enter");
  expect(await text(page, "#learningRate-error")).toBe("Expected a number above 0, at most 100.");
  await fill(page, "learningRate", "0.25");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (sentence) => document.getElementById("status")?.textContent === sentence,
    { timeout: 10_000 },
    "Training on the CPU. The learning rate is 0.25 now.",
  );
  expect((await draw(page)).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
  await page.click("#stop");
  await waitForPhase(page, "stopped");
  expect(await page.$$eval("#sheet li", (items) => items.length)).toBe(24);
  expect(await overflow(page)).toBe(0);
  expect(problems).toEqual([]);
  await page.close();
});

test("tells of a lost GPU and goes on by itself", { timeout: 90_000 }, async () => {
  const browser = await launchBrowser();
  const { page } = await open(1280, browser);
  await train(page, "webgpu");
  await waitForStep(page, 2);
  const session = await browser.target().createCDPSession();
  await session.send("Browser.crashGpuProcess");
  const sentence = /^Training on WebGPU\. The GPU was lost at step \d+; going on from step \d+ on/;
  await page.waitForFunction(
    (pattern) => new RegExp(pattern).test(document.getElementById("status")?.textContent ?? ""),
    { timeout: 45_000 },
    sentence.source,
  );
  await waitForStep(page, (await step(page)) + 2);
  expect(await page.$eval("body", (body) => body.dataset.phase)).toBe("training");
  expect(await page.$eval("#error", (x) => (x as HTMLElement).hidden)).toBe(true);
  await browser.close();
});

test("tells when there is no WebGPU", { timeout: 90_000 }, async () => {
  const without = await launchBrowser({
    args: BROWSER_FLAGS.filter((flag) => !/unsafe-webgpu/.test(flag)),
  });
  try {
    const { page } = await open(1280, without);
    await page.select("#device", "webgpu");
    await page.click("#start");
    await waitForPhase(page, "failed");
    expect(await text(page, "#error")).toMatch(/^WebGPU is not to be had here.*no WebGPU adapter/);
  } finally {
    await without.close();
  }
});
