import { expect, test } from "vitest";
import {
  FUNCTION_NAMES,
  heightsOf,
  PLACES,
  readHeights,
  WRITTEN,
  writeHeights,
} from "../../site/approximation/target.ts";
import { expectSound, text, useSite, waitForMovement, waitForPhase } from "../support/site.ts";

const site = useSite();

test("heights in an address are those that were drawn, to a 70th", () => {
  for (const name of FUNCTION_NAMES) {
    const heights = heightsOf(name);
    const written = writeHeights(heights);
    expect(written).toMatch(WRITTEN);
    expect(readHeights(written)).toHaveLength(PLACES);
    readHeights(written).forEach((height, i) => {
      expect(Math.abs(height - heights[i])).toBeLessThanOrEqual(1 / 35 + 1e-12);
    });
  }
});

test.each([
  [1280, false],
  [390, true],
])("at %d pixels a net fits, and follows what is drawn", async (width, dark) => {
  const opened = await site.open("approximation/", { width, dark });
  const { page } = opened;
  await waitForMovement(page, "#drawing canvas");
  await waitForPhase(page, "training");
  const loss = () => text(page, "#loss").then(Number);
  await page.waitForFunction(() => Number(document.getElementById("loss")?.textContent) < 0.02);
  const area = await page.$("#drawing .u-over");
  const box = await area?.boundingBox();
  if (!box) throw new Error("no place to draw in");
  await page.mouse.move(box.x + 2, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 0.8 * box.height, { steps: 4 });
  await page.mouse.up();
  expect(await page.$eval("#name", (x) => (x as HTMLSelectElement).value)).toBe("drawn");
  const drawn = readHeights(new URL(page.url()).searchParams.get("drawn") ?? "");
  expect(drawn[4]).toBeCloseTo(0.6, 0);
  expect(drawn[60]).toBeCloseTo(-0.6, 0);
  await page.waitForFunction(() => Number(document.getElementById("loss")?.textContent) < 0.01);
  // The same by keyboard.
  await page.focus("#height");
  await page.keyboard.press("End");
  expect(readHeights(new URL(page.url()).searchParams.get("drawn") ?? "")[32]).toBe(1);
  await page.focus("#added");
  await page.keyboard.press("Home");
  expect(await text(page, "#added-value")).toBe("0 of 16");
  expect(await loss()).toBeGreaterThan(0);
  await expectSound(opened);
  await page.close();
});

test("a shared address has the same net, and other settings begin anew", async () => {
  const { page } = await site.open("approximation/?name=hat&units=3&activation=relu&seed=2", {
    calm: true,
  });
  await waitForPhase(page, "paused");
  expect(await text(page, "#added-value")).toBe("3 of 3");
  await page.click(".run button:nth-child(2)");
  await page.focus("#units");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(
    () => document.getElementById("added-value")?.textContent === "4 of 4",
  );
  expect(page.url()).toContain("units=4");
  await waitForPhase(page, "paused");
  await page.close();
});

test("a run that failed begins anew with another rate", async () => {
  const { page, problems } = await site.open(
    "approximation/?optimizer=SGD&rate=10&activation=relu",
  );
  await waitForPhase(page, "failed");
  expect(await text(page, ".failure")).toMatch(
    /^Choose a lower learning rate: the net begins anew\./,
  );
  await page.click("#rate", { count: 3 });
  await page.type("#rate", "0.01");
  await page.keyboard.press("Enter");
  await waitForPhase(page, "training");
  await waitForMovement(page, "#drawing canvas");
  expect(await page.$eval(".failure", (x) => (x as HTMLElement).hidden)).toBe(true);
  expect(problems).toEqual([]);
  await page.close();
});
