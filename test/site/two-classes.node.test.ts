import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import type { ElementHandle, Page } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drawHead, headKey } from "../../examples/folders/draw.ts";
import { drawnPictures } from "../../site/two-classes/pictures.ts";
import { complaint, SIZE } from "../../site/two-classes/sizes.ts";
import { foldIn, init, keyFromSeed } from "../../src/index.ts";
import { BROWSER_FLAGS } from "../../tools/browser.mjs";
import { launchBrowser } from "../../tools/page.mjs";
import {
  drop,
  expectSound,
  fill,
  text,
  useSite,
  waitForMovement,
  waitForPhase,
  waitForText,
} from "../support/site.ts";

const site = useSite();
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "two-classes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const waitForAccuracy = (page: Page, least: number) =>
  page.waitForFunction(
    (share) => Number.parseFloat(document.getElementById("accuracy")?.textContent ?? "") >= share,
    {},
    least,
  );

test("pictures are drawn as planes, as the example draws them", async () => {
  await init({ device: "cpu" });
  const { data, labels, names } = await drawnPictures(6, 3);
  expect(labels).toEqual([0, 1, 0, 1, 0, 1]);
  expect(names).toEqual(["cat 1", "dog 1", "cat 2", "dog 2", "cat 3", "dog 3"]);
  const head = await drawHead("dogs", headKey(foldIn(keyFromSeed(3), 5), "dogs", 1), SIZE);
  const planes = (await data.images.data()).slice(3 * 3 * SIZE * SIZE, 4 * 3 * SIZE * SIZE);
  for (const i of [0, 1, 2, 500, 1501, 3071]) {
    expect(planes[(i % 3) * SIZE * SIZE + Math.floor(i / 3)]).toBe(head[i]);
  }
  expect(complaint([])).toBe("0 and 0 pictures; expected at least 5 of each class.");
  expect(complaint(Array.from({ length: 10 }, (_, i) => ({ label: i < 5 ? 0 : 1 })))).toBe("");
});

test.each([
  [1280, false],
  [390, true],
])("at %d pixels a net tells drawn cats from dogs", async (width, dark) => {
  const opened = await site.open("two-classes/", { width, dark });
  const { page } = opened;
  await waitForMovement(page, "#chances");
  await waitForPhase(page, "training");
  await waitForAccuracy(page, 75);
  expect(await text(page, "#trained")).toBe("128");
  expect(await text(page, "#parameters")).toBe("6,601");
  await page.select("#network", "dense");
  await page.waitForFunction(
    () => document.getElementById("parameters")?.textContent === "196,737",
  );
  // A shown mistake is one: more than half for the other class.
  await page.waitForSelector("#mistakes li");
  await page.click(".run .primary");
  const { shown, wrong } = await page.evaluate(() => ({
    shown: [...document.querySelectorAll("#mistakes li")].map((x) => x.textContent ?? ""),
    wrong: Number(document.getElementById("wrong")?.textContent),
  }));
  expect(shown.length).toBe(Math.min(12, wrong));
  for (const each of shown) {
    expect(each).toMatch(/^(cat \d+ \d+\u202f% for dogs|dog \d+ \d+\u202f% for cats)$/);
    expect(Number(/ (\d+)\u202f%/.exec(each)?.[1])).toBeGreaterThanOrEqual(50);
  }
  // A camera that may not be used is told of.
  await page.browserContext().overridePermissions(site.url, []);
  await page.click("#camera");
  await page.waitForFunction(() =>
    document.getElementById("own-problem")?.textContent?.startsWith("No camera: "),
  );
  await expectSound(opened);
  await page.close();
});

/** Pictures of one colour with some noise, as files of that name and number, which may be in a folder. */
function pictures(name: string, count: number, [r, g, b]: readonly number[]): string[] {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  return Array.from({ length: count }, (_, i) => {
    const data = new Uint8Array(3 * 40 * 30);
    for (let k = 0; k < data.length; k++) data[k] = [r, g, b][k % 3] + ((k * 7 + i * 13) % 40);
    const path = join(folder, `${name}-${i}.png`);
    writeFileSync(path, encode({ width: 40, height: 30, data, channels: 3, depth: 8 }));
    return path;
  });
}

test("a reader's own pictures are learned as soon as there are enough", async () => {
  const { page } = await site.open("two-classes/?network=dense&first=reds&second=blues");
  await waitForPhase(page, "training");
  const files = async (label: number) =>
    (await page.$(`#files-${label}`)) as ElementHandle<HTMLInputElement>;
  await (await files(0)).uploadFile(...pictures("red", 10, [200, 20, 20]));
  await page.waitForFunction(() => document.getElementById("count-0")?.textContent === "10");
  expect(await text(page, "#own-problem")).toBe(
    "10 and 0 pictures; expected at least 5 of each class.",
  );
  await (await files(1)).uploadFile(...pictures("blue", 10, [20, 20, 200]));
  await page.waitForFunction(() => document.getElementById("trained")?.textContent === "16");
  expect(await text(page, "#own-problem")).toBe("");
  expect(page.url()).toContain("data=own");
  await waitForAccuracy(page, 100);
  await fill(page, "#first", "roses");
  expect(await text(page, ".ends span")).toBe("roses");
  expect(await page.$eval("#chances", (x) => x.getAttribute("aria-label"))).toMatch(/^4 pictures /);
  await page.close();
});

test("pictures and a folder of folders may be dropped", async () => {
  const { page, problems } = await site.open("two-classes/?network=dense");
  await waitForPhase(page, "training");
  await drop(page, pictures("beside", 1, [200, 20, 20]), "h1");
  await waitForText(page, "own-problem", /^Dropped beside the classes; expected/);
  await drop(page, pictures("dropped-red", 6, [200, 20, 20]), "#class-0");
  await waitForText(page, "count-0", /^6$/);
  await drop(page, pictures("dropped-blue", 6, [20, 20, 200]), "#class-1");
  await waitForText(page, "trained", /^10$/);
  expect(await text(page, "#count-1")).toBe("6");
  expect(await page.$$(".over")).toHaveLength(0);
  pictures("colours/green/g", 7, [20, 200, 20]);
  pictures("colours/white/w", 7, [210, 210, 210]);
  await drop(page, [join(folder, "colours")], "#class-1");
  await waitForText(page, "trained", /^11$/);
  expect([await text(page, "#count-0"), await text(page, "#count-1")]).toEqual(["7", "7"]);
  expect(await page.$eval("#second", (x) => (x as HTMLInputElement).value)).toBe("white");
  await drop(page, [join(folder, "colours/green")], "#class-0");
  await waitForText(page, "own-problem", /no picture in a class folder|expected two\.$/);
  expect(await text(page, "#count-0")).toBe("7");
  expect(problems).toEqual([]);
  await page.close();
});

test("snapshots of a camera are learned", { timeout: 90_000 }, async () => {
  const browser = await launchBrowser({
    args: [
      ...BROWSER_FLAGS,
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
    ],
  });
  try {
    const { page, problems } = await site.open("two-classes/?network=dense", { browser });
    await waitForPhase(page, "training");
    await page.click("#camera");
    await page.waitForFunction(
      () => (document.getElementById("video") as HTMLVideoElement).videoWidth > 0,
    );
    await waitForText(page, "camera", /^Turn off/);
    for (const label of [0, 1]) {
      for (let i = 1; i <= 5; i++) {
        await page.click(`#take-${label}`);
        await waitForText(page, `count-${label}`, new RegExp(`^${i}$`));
      }
    }
    await waitForText(page, "trained", /^8$/); // of 10
    await page.click("#camera");
    await waitForText(page, "camera", /^Turn on/);
    expect(await page.$eval("#video", (x) => (x as HTMLVideoElement).hidden)).toBe(true);
    expect(await page.$eval("#take-0", (x) => x.checkVisibility())).toBe(false);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
  }
});
