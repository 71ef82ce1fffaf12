import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { MAKERS } from "../../site/embeddings/losses.ts";
import { LOSS_NAMES } from "../../site/embeddings/names.ts";
import { init, tensor } from "../../src/index.ts";
import { xavierUniform } from "../../src/nn/index.ts";
import {
  expectSound,
  fill,
  numberIn,
  text,
  useSite,
  waitForMovement,
  waitForPhase,
} from "../support/site.ts";

const site = useSite();

/** Waits until the net at a place tells more than this share of the digits right, in percent. */
const waitForAccuracy = (page: Page, place: string, least: number) =>
  page.waitForFunction(
    (id, share) => Number.parseFloat(document.getElementById(id)?.textContent ?? "") > share,
    {},
    `${place}-accuracy`,
    least,
  );

test("the contrastive loss of a batch is that of all its pairs, and means tell classes", async () => {
  await init({ device: "cpu" });
  expect(Object.keys(MAKERS).sort()).toEqual([...LOSS_NAMES].sort());
  const points = [
    [0, 0],
    [3, 4],
    [1, 0],
    [6, 8],
  ];
  const labels = [0, 1, 0, 1];
  const head = MAKERS.contrastive(2, 10, { weightInit: xavierUniform() });
  const x = tensor(points);
  const t = tensor(labels, { dtype: "i32" });
  let expected = 0;
  points.forEach(([a, b], i) => {
    points.forEach(([c, d], j) => {
      const far = Math.hypot(a - c, b - d);
      expected += labels[i] === labels[j] ? far ** 2 / 2 : Math.max(0, 5 - far) ** 2 / 2;
    });
  });
  expect(await head.loss(x, t).item()).toBeCloseTo(expected / 16, 4);
  for (let i = 0; i < 30; i++) await head.loss(x, t).data();
  const logits = await head.call(x).data();
  points.forEach((_, i) => {
    expect(logits[10 * i + labels[i]]).toBeGreaterThan(logits[10 * i + 1 - labels[i]]);
  });
});

test.each([
  [1280, false],
  [390, true],
])("at %d pixels digits find their places under four losses", async (width, dark) => {
  const opened = await site.open("embeddings/", { width, dark });
  const { page } = opened;
  await waitForMovement(page, ".planes figure:nth-child(2) canvas");
  await waitForPhase(page, "training");
  for (const place of ["first", "second", "third", "fourth"]) {
    await waitForAccuracy(page, place, 50);
  }
  // Pointing at a digit shows it, in all planes.
  const before = await text(page, "#marked");
  expect(before).toMatch(/^Number 0, a 7$/);
  const box = await (await page.$(".planes figure canvas"))?.boundingBox();
  if (!box) throw new Error("no plane to point at");
  await page.mouse.move(box.x + 0.7 * box.width, box.y + 0.3 * box.height);
  await page.waitForFunction(
    (was) => document.getElementById("marked")?.textContent !== was,
    {},
    before,
  );
  await page.focus("#which");
  await page.keyboard.press("Home");
  await page.waitForFunction(
    () => document.getElementById("marked")?.textContent === "Number 0, a 7",
  );
  await expectSound(opened);
  await page.close();
});

test("a shared address compares what was chosen, and another choice begins anew", async () => {
  const { page } = await site.open(
    "embeddings/?first=contrastive&second=triplet&third=none&fourth=none&hidden=64",
    { calm: true },
  );
  await waitForPhase(page, "paused");
  expect(await page.$$eval(".plane:not([hidden])", (planes) => planes.length)).toBe(2);
  await page.click(".run .primary");
  await waitForAccuracy(page, "first", 60);
  await waitForAccuracy(page, "second", 60);
  await page.select("#third", "CosFace");
  await waitForAccuracy(page, "third", 40);
  expect(page.url()).toContain("third=CosFace");
  await fill(page, "#hidden", "8");
  expect(await text(page, "#hidden-error")).toBe("Expected a whole number from 16 to 256.");
  expect(await numberIn(page, "#first-accuracy")).toBeGreaterThan(20);
  await page.close();
});
