import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { expectSound, numberIn, text, useSite, waitForPhase } from "../support/site.ts";

const site = useSite();

const waitForAccuracy = (page: Page, least: number) =>
  page.waitForFunction(
    (share) => Number.parseFloat(document.getElementById("accuracy")?.textContent ?? "") >= share,
    {},
    least,
  );

test.each([
  [1280, false],
  [390, true],
])("at %d pixels unseen digits are recognised, and a drawing is compared", async (width, dark) => {
  const opened = await site.open("one-shot/", { width, dark });
  const { page } = opened;
  await waitForPhase(page, "training");
  await waitForAccuracy(page, 60);
  await page.waitForFunction(
    () =>
      Number.parseFloat(document.getElementById("accuracy")?.textContent ?? "") >
      Number.parseFloat(document.getElementById("by-pixels")?.textContent ?? ""),
  );
  expect(await page.$$eval("#queries li", (items) => items.length)).toBe(60);
  // A line by keyboard: what is drawn is nearest to itself.
  await page.focus("#pad");
  for (const key of ["Space", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"] as const) {
    await page.keyboard.press(key);
  }
  await page.waitForFunction(() => document.getElementById("answer")?.textContent !== "–");
  await page.click("#keep-1");
  await page.waitForFunction(
    () =>
      document.querySelector("#anchors li:nth-child(2) .best")?.textContent === "0.00" &&
      document.getElementById("answer")?.textContent === "B",
  );
  expect(await text(page, "#keep-1")).toBe("Take the digit again");
  // The other net compares too, by its own distances.
  await page.click("#keep-1");
  await page.waitForFunction(
    () => document.querySelector("#anchors li:nth-child(2) .best")?.textContent !== "0.00",
  );
  const distances = () =>
    page.$$eval("#anchors li > span:nth-of-type(2)", (all) => all.map((x) => x.textContent));
  const before = await distances();
  await page.select("#by", "running");
  expect(page.url()).toMatch(/by=running$/);
  await page.waitForFunction(
    (was) =>
      [...document.querySelectorAll("#anchors li > span:nth-of-type(2)")].some(
        (x, i) => x.textContent !== was[i],
      ),
    {},
    before,
  );
  await expectSound(opened);
  await page.close();
});

test("a net trained before knows unseen digits at once", async () => {
  const { page } = await site.open("one-shot/", { calm: true });
  await waitForPhase(page, "paused");
  await page.waitForFunction(() => document.getElementById("by-trained")?.textContent !== "–");
  const [trained, pixels] = [
    await numberIn(page, "#by-trained"),
    await numberIn(page, "#by-pixels"),
  ];
  expect(trained).toBeGreaterThan(70);
  expect(trained).toBeGreaterThan(pixels + 10);
  expect(await numberIn(page, ".run output")).toBeNaN(); // no step was made
  await page.close();
});

test("a shared address has the same examples, and waits for a calm reader", async () => {
  const { page } = await site.open("one-shot/?examples=5&channels=4&seed=2", { calm: true });
  await waitForPhase(page, "paused");
  await page.waitForFunction(() => document.getElementById("accuracy")?.textContent !== "–");
  const pixels = await numberIn(page, "#by-pixels");
  await page.focus("#examples");
  await page.keyboard.press("End");
  expect(page.url()).toContain("examples=60");
  await page.waitForFunction(
    (was) => Number.parseFloat(document.getElementById("by-pixels")?.textContent ?? "") !== was,
    {},
    pixels,
  );
  await page.close();
});
