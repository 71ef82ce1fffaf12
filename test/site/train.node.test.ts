import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { BROWSER_FLAGS } from "../../tools/browser.mjs";
import { launchBrowser } from "../../tools/page.mjs";
import {
  expectSound,
  numberIn,
  overflow,
  text,
  upload,
  useSite,
  waitForMovement,
  waitForPhase,
  waitForText,
} from "../support/site.ts";

const site = useSite();

/** Puts a value in place of what a field holds, and presses Enter. */
async function enter(page: Page, id: string, value: string): Promise<void> {
  await page.click(`#${id}`, { count: 3 });
  await page.type(`#${id}`, value);
  await page.keyboard.press("Enter");
}

async function step(page: Page): Promise<number> {
  return (await numberIn(page, "#figure-step")) || 0;
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

function brightnessOfPad(page: Page): Promise<string> {
  return page.$eval("#pad", (pad) => {
    const canvas = pad as HTMLCanvasElement;
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
    const inked = pixels?.findIndex((value, i) => i % 4 === 3 && value === 255) ?? 0;
    const paper =
      getComputedStyle(canvas)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    return (pixels?.[inked - 3] ?? 0) > paper[0] ? "light on dark" : "dark on light";
  });
}

const DIGITS = "epochs=10&optimizer=sgd&rate=1&activation=sigmoid&layers=50";

test("trains on WebGPU, pauses, reads a drawing, shows mistakes", { timeout: 90_000 }, async () => {
  const { page, problems } = await site.open(
    `train/?data=digits&device=webgpu&reader=running&${DIGITS}`,
  );
  await page.evaluate(() => {
    const count = () => {
      document.body.dataset.frames = String(Number(document.body.dataset.frames ?? 0) + 1);
      requestAnimationFrame(count);
    };
    count();
  });
  await waitForPhase(page, "training");
  await waitForText(page, "detail", /Why WebGPU: asked for/);

  await waitForStep(page, 20);
  const frames = () => page.$eval("body", (body) => Number(body.dataset.frames));
  const before = await frames();
  await waitForStep(page, 60);
  expect((await frames()) - before).toBeGreaterThan(5);

  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  const paused = await step(page);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await step(page)) - paused).toBeLessThanOrEqual(50); // what was under way
  const still = await step(page);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await step(page)).toBe(still);

  await page.click(".run .primary");
  await waitForPhase(page, "training");
  await waitForStep(page, 200);
  const probabilities = await draw(page);
  expect(probabilities).toHaveLength(10);
  expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 4);

  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  await waitForText(page, "mistakes-hint", /^After [\d,]+ steps/);
  await page.waitForFunction(
    () => Number.parseFloat(document.getElementById("figure-testAccuracy")?.textContent ?? "") > 60,
  ); // 10 % at the start
  expect(await numberIn(page, "#figure-loss")).toBeLessThan(1.5); // ln 10 = 2.3 at the start
  expect(await page.$$eval("#sheet canvas", (items) => items.length)).toBe(24);
  expect(await text(page, "#sheet li")).toMatch(/^\d → \d\d+\s%$/);
  expect(await page.$$eval("#weights canvas", (items) => items.length)).toBe(24);
  expect(await page.$$eval(".matrix td", (items) => items.length)).toBe(100);
  expect(await overflow(page)).toBe(0);
  expect(problems).toEqual([]);
  await page.close();
});

test("works at phone width and says what a field expects", { timeout: 90_000 }, async () => {
  const { page, problems } = await site.open(`train/?data=mnist&device=cpu&${DIGITS}`, {
    width: 360,
  });
  expect(await overflow(page)).toBe(0);
  await enter(page, "batch", "0");
  expect(await text(page, "#batch-error")).toBe("Expected a whole number from 1 to 10,000.");
  expect(await page.$eval("#batch", (x) => document.activeElement === x)).toBe(true);

  await enter(page, "batch", "50");
  await waitForPhase(page, "training");
  await waitForText(page, "status", /^Training on the CPU\.$/);
  await waitForStep(page, 30);
  await enter(page, "rate", "-1");
  expect(await text(page, "#rate-error")).toBe("Expected a number above 0, at most 100.");
  await enter(page, "rate", "0.25");
  await waitForText(page, "status", /^Training on the CPU\. The learning rate is 0\.25 now\.$/);
  expect(await step(page)).toBeGreaterThan(0);
  expect((await draw(page)).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  await waitForText(page, "mistakes-hint", /of 10,000 test images/);
  expect(await page.$$eval("#sheet li", (items) => items.length)).toBe(24);
  expect(await overflow(page)).toBe(0);
  expect(problems).toEqual([]);
  await page.close();
});

test("moves by itself, and a drawing is read at once", { timeout: 60_000 }, async () => {
  for (const options of [{ width: 1280 }, { width: 390, dark: true }]) {
    const opened = await site.open("train/", options);
    const { page } = opened;
    await waitForMovement(page, "#plane");
    await page.waitForFunction(() => document.querySelectorAll("#neurons canvas").length === 48);
    await draw(page);
    await waitForText(page, "answer", /^Looks like 7\.$/);
    expect(await brightnessOfPad(page)).toEqual(options.dark ? "light on dark" : "dark on light");
    await waitForMovement(page, "#activations");
    await expectSound(opened);
    await page.close();
  }
});

test("settings begin a new run, stay in the address, and come back", async () => {
  const opened = await site.open("train/");
  const { page } = opened;
  await waitForStep(page, 60);
  await page.select("#activation", "tanh");
  await waitForStep(page, 10);
  expect(page.url()).toContain("activation=tanh");
  await waitForText(page, "loss-chart", /activation gelu/); // the curve before stays
  await enter(page, "layers", "8");
  await page.waitForFunction(() => document.querySelectorAll("#neurons canvas").length === 8);
  await page.reload();
  expect(await page.$eval("#layers", (x) => (x as HTMLInputElement).value)).toBe("8");
  await waitForStep(page, 5);
  await page.goBack();
  await page.waitForFunction(
    () => (document.getElementById("layers") as HTMLInputElement).value === "24, 24",
  );
  await page.select("#data", "curve");
  await page.waitForSelector("#curve svg");
  await waitForText(page, "accuracy-caption", /R²/);
  expect(await page.$eval("#loss", (x) => (x as HTMLSelectElement).value)).toBe("meanSquaredError");
  await page.click("#reset");
  await page.waitForSelector("#plane:not([hidden])");
  expect(new URL(page.url()).search).toBe("");
  await expectSound(opened);
  await page.close();
});

test("steps one by one, keeps weights in files and learns from a table", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gradus-train-"));
  const { page, problems } = await site.open("train/?speed=slow");
  const session = await page.createCDPSession();
  await session.send("Browser.setDownloadBehavior", {
    behavior: "allow",
    downloadPath: folder,
    browserContextId: page.browserContext().id,
  });
  await waitForStep(page, 5);
  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  await page.click("#save");
  await waitForText(page, "files-status", /^Saved [\d,]+ bytes\.$/);
  const file = join(folder, "gradus-train.safetensors");
  for (let i = 0; i < 50 && !existsSync(file); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(readdirSync(folder)).toContain("gradus-train.safetensors");
  await upload(page, "load", file);
  await waitForText(page, "files-status", /^Loaded gradus-train/);
  await upload(page, "load", "package.json");
  await waitForText(page, "files-status", /^package\.json: /);

  await page.click(".run .primary");
  await page.select("#data", "csv");
  await waitForText(page, "confusion", /virginica/i); // Fisher's irises until there is a file
  mkdirSync(folder, { recursive: true });
  const table = join(folder, "two.csv");
  const rows = Array.from({ length: 60 }, (_, i) => `${i % 7},${i % 5},${i % 7 > 3 ? "a" : "b"}`);
  writeFileSync(table, ["p,q,kind", ...rows].join("\n"));
  await upload(page, "csv", table);
  await page.waitForSelector("#plane:not([hidden])"); // two columns are a plane
  await waitForText(page, "detail", /45 examples and 15 for the test/);
  expect(problems).toEqual([]);
  await page.close();
});

/** Puts a table's lines into a file and gives it to the page. */
async function uploadTable(page: Page, name: string, lines: readonly string[]): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), "gradus-train-")), name);
  writeFileSync(file, lines.join("\n"));
  await upload(page, "csv", file);
}

test("a table has its own loss and program, and its faults are told", async () => {
  const { page, problems } = await site.open("train/?data=csv&device=cpu&speed=slow");
  const lossOf = () => page.$eval("#loss", (x) => (x as HTMLSelectElement).value);
  await waitForText(page, "program", /Linear\(4, 16,[\s\S]*Linear\(16, 3,/);
  expect(await text(page, "#own-told")).toMatch(/^Fisher’s irises \(1936\) are learnt until/);
  const entries = await page.evaluate(() => history.length);

  const values = Array.from({ length: 60 }, (_, i) => `${i},${i % 7},${i * i}`);
  await uploadTable(page, "values.csv", ['"length, cm",b,c', ...values]);
  await waitForText(page, "program", /\(length, cm, b\) and values[\s\S]*Linear\(16, 1,/);
  await waitForText(page, "program", /meanSquaredError\(net\.call\(x\), t\)/);
  await waitForText(page, "accuracy-caption", /R²/);
  await waitForPhase(page, "training");
  expect(await lossOf()).toBe("meanSquaredError");
  expect(new URL(page.url()).searchParams.get("loss")).toBe("meanSquaredError");
  expect(await text(page, "#own-told")).toMatch(/^values\.csv is learnt\./);

  await uploadTable(page, "classes.csv", ["p,q,kind", ...values.map((_, i) => `${i},1,${i % 2}x`)]);
  await waitForText(page, "program", /Linear\(2, 16,[\s\S]*Linear\(16, 2,/);
  await waitForText(page, "detail", /45 examples and 15 for the test/);
  await waitForStep(page, 5);
  expect(await lossOf()).toBe("crossEntropy");
  expect(await page.evaluate(() => history.length)).toBe(entries);
  await enter(page, "example", "99999999");
  expect(await text(page, "#example-error")).toBe("Expected a whole number from 0 to 14.");
  await enter(page, "example", "14");
  expect(await text(page, "#example-error")).toBe("");

  await uploadTable(page, "blanks.csv", ["p;q", "1;2"]);
  await waitForPhase(page, "failed");
  expect(await text(page, ".failure")).toMatch(/^The file has one column; expected two or more/);
  expect(await text(page, "#detail")).toBe("");
  expect(await text(page, "#program")).toBe("");

  await page.reload();
  await waitForText(page, "own-told", /^Fisher’s irises .* A file is not kept/);
  await page.goto(`${site.url}train/?data=pictures`);
  await waitForText(page, "own-told", /^Files are not kept .* two spirals are learnt/);
  expect(problems).toEqual([]);
  await page.close();
});

test("other data are one place to go back to, and a loss fits them", async () => {
  const { page, problems } = await site.open("train/?loss=huber&rate=0.02");
  const valueOf = (id: string) => page.$eval(`#${id}`, (x) => (x as HTMLSelectElement).value);
  expect(await valueOf("loss")).toBe("crossEntropy");
  await waitForStep(page, 5);
  const entries = await page.evaluate(() => history.length);
  await page.select("#data", "moons");
  await waitForText(page, "program", /\/\/ Two moons/);
  expect(await valueOf("rate")).toBe("0.01");
  await page.select("#data", "curve");
  await waitForText(page, "accuracy-caption", /R²/);
  expect(await page.evaluate(() => history.length)).toBe(entries + 2);
  await page.goBack();
  expect([await valueOf("data"), await valueOf("layers")]).toEqual(["moons", "24, 24"]);
  await page.goBack();
  expect([await valueOf("data"), await valueOf("rate")]).toEqual(["spirals", "0.02"]);
  await waitForText(page, "program", /\/\/ Two spirals/);
  expect(problems).toEqual([]);
  await page.close();
});

test("tells of a lost GPU and goes on by itself", { timeout: 90_000 }, async () => {
  const browser = await launchBrowser();
  const { page } = await site.open(`train/?data=digits&device=webgpu&${DIGITS}`, { browser });
  await waitForPhase(page, "training");
  await waitForStep(page, 2);
  const session = await browser.target().createCDPSession();
  await session.send("Browser.crashGpuProcess");
  await waitForText(
    page,
    "status",
    /^Training on WebGPU\. The GPU was lost at step \d+; going on from step \d+ on/,
  );
  await waitForStep(page, (await step(page)) + 2);
  expect(await page.$eval("body", (body) => body.dataset.phase)).toBe("training");
  expect(await page.$eval(".failure", (x) => (x as HTMLElement).hidden)).toBe(true);
  await browser.close();
});

test("tells when there is no WebGPU", { timeout: 90_000 }, async () => {
  const browser = await launchBrowser({
    args: BROWSER_FLAGS.filter((flag) => !/unsafe-webgpu/.test(flag)),
  });
  try {
    const { page } = await site.open("train/?device=webgpu", { browser });
    await waitForPhase(page, "failed");
    expect(await text(page, ".failure")).toMatch(
      /^WebGPU is not to be had here.*no WebGPU adapter/,
    );
  } finally {
    await browser.close();
  }
});
