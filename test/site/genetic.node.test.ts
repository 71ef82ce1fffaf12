import { expect, test } from "vitest";
import {
  expectSound,
  fill,
  text,
  useSite,
  waitForMovement,
  waitForPhase,
} from "../support/site.ts";

const site = useSite();

test.each([
  [1280, false],
  [390, true],
])("at %d pixels a population learns XOR, then iris", async (width, dark) => {
  const opened = await site.open("genetic/", { width, dark });
  const { page } = opened;
  await waitForMovement(page, "#surface");
  await waitForPhase(page, "training");
  await page.waitForFunction(
    () =>
      document.getElementById("accuracy")?.textContent?.startsWith("100") &&
      Number(document.getElementById("loss")?.textContent) < 0.3,
  );
  await page.select("#task", "iris");
  await page.waitForFunction(
    () =>
      document.getElementById("text")?.textContent?.startsWith("150 flowers") &&
      Number.parseFloat(document.getElementById("accuracy")?.textContent ?? "") > 90,
  );
  const label = await page.$eval("#history", (x) => x.getAttribute("aria-label") ?? "");
  const [best, median, worst] = (label.match(/[\d.]+/g) ?? []).map(Number);
  expect(best).toBeLessThanOrEqual(median);
  expect(median).toBeLessThanOrEqual(worst);
  await expectSound(opened);
  await page.close();
});

test("a shared address begins alike; without mutation the best comes to rest", async () => {
  const query = "size=20&mutationRate=0&crossoverRate=0&elite=3";
  const { page } = await site.open(`genetic/?${query}`, { calm: true });
  await waitForPhase(page, "paused");
  await page.click(".run .primary");
  // Copies of the fittest take over: in the end all nets are alike.
  await page.waitForFunction(() => {
    const label = document.getElementById("history")?.getAttribute("aria-label") ?? "";
    const [best, median, worst] = label.match(/[\d.]+/g) ?? [];
    return best !== undefined && best === median && best === worst;
  });
  await fill(page, "#size", "5");
  expect(await text(page, "#size-error")).toBe("Expected a whole number from 12 to 400.");
  await page.close();
});

test("the loss in the caption is that of its generation", async () => {
  const { page } = await site.open("genetic/?task=iris", { calm: true });
  await waitForPhase(page, "paused");
  await page.evaluate(() => {
    const told: [string, string, string][] = [];
    Object.assign(globalThis, { told });
    const textOf = (id: string) => document.getElementById(id)?.textContent ?? "";
    new MutationObserver(() => {
      const label = document.getElementById("history")?.getAttribute("aria-label") ?? "";
      told.push([textOf("generation"), textOf("loss"), /Best ([\d.]+)/.exec(label)?.[1] ?? ""]);
    }).observe(document.getElementById("generation") as HTMLElement, { childList: true });
  });
  await page.click(".run .primary");
  await page.waitForFunction(() => (globalThis as never as { told: unknown[] }).told.length >= 12);
  const told = await page.evaluate(() => (globalThis as never as { told: string[][] }).told);
  for (const [, loss, best] of told) expect(Number(loss) / Number(best)).toBeCloseTo(1, 2);
  expect(new Set(told.map(([, loss]) => loss)).size).toBeGreaterThan(1);
  await page.close();
});
