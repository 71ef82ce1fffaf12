import type { ElementHandle, Page } from "puppeteer";
import { expect, test } from "vitest";
import { overflow, text, useSite, violations } from "../support/site.ts";

const site = useSite();

/** Leaves only some workloads and peers checked. */
async function choose(page: Page, names: string[]): Promise<void> {
  await page.$$eval("fieldset .all input", (boxes) => {
    for (const box of boxes as HTMLInputElement[]) box.click();
  });
  for (const name of names) {
    await page.$eval(`input[value="${name}"]`, (box) => (box as HTMLInputElement).click());
  }
}

test("measures, compares with a file and fits a phone", { timeout: 90_000 }, async () => {
  const { page, problems } = await site.open("bench/", { width: 390 });
  await page.waitForSelector("#peers .choice");
  expect(await overflow(page)).toBe(0);
  expect(await text(page, "#estimate")).toMatch(/^4 workloads on 5 libraries: about \d+ seconds/);
  await page.waitForSelector("#summary tr");
  expect(await text(page, "#machine")).toMatch(/^2026-\d\d-\d\d\. google swiftshader, emulated/);
  await page.select("#preset", "own");
  await page.waitForSelector("details[open]");
  await page.click("#rounds", { count: 3 });
  await page.type("#rounds", "0");
  await page.click("#start");
  expect(await text(page, "#rounds-error")).toBe("Expected a whole number from 1 to 1,000.");
  await page.click("#rounds", { count: 3 });
  await page.type("#rounds", "1");
  await choose(page, []);
  await page.click("#start");
  expect(await text(page, "#choices-error")).toBe("Choose at least one library and one workload.");

  await choose(page, []); // checks all again
  await choose(page, ["gradus-webgpu", "tfjs-cpu", "ort-wasm", "softmax of rows [100,10]"]);
  await page.click("#start");
  await page.waitForSelector('body[data-phase="finished"]', { timeout: 60_000 });
  expect(await text(page, "#status")).toBe("Finished.");
  expect(await text(page, "#tables caption")).toBe("softmax of rows [100,10]");
  for (const peer of ["gradus-webgpu", "tfjs-cpu"]) {
    expect(await text(page, `tr.ok[data-peer="${peer}"] .figure`)).toMatch(/^\d+(\.\d+)? µs$/);
    expect(await text(page, `tr[data-peer="${peer}"] .hint`)).toMatch(/off by \d\.\de-\d+$/);
  }
  expect(await text(page, 'tr[data-peer="tfjs-cpu"] td:last-child')).toMatch(
    /^\d+(\.\d+)?× (slower|faster)$/,
  );
  expect(await text(page, "#tables tfoot")).toBe("Not part of ort-wasm.");
  const bars = await page.$$eval(".track span", (spans) =>
    spans.map((span) => span.getBoundingClientRect().width),
  );
  expect(Math.min(...bars)).toBeGreaterThan(0);
  expect(Math.max(...bars)).toBeGreaterThan(100); // the fastest fills its track
  expect(await page.$eval("#download", (x) => (x as HTMLButtonElement).disabled)).toBe(false);
  expect(await overflow(page)).toBe(0);

  expect(await text(page, "#summary tbody th")).toBe("tfjs-cpu");
  expect(await violations(page)).toEqual([]);

  const input = await page.$("#earlier");
  await (input as ElementHandle<HTMLInputElement>).uploadFile("package.json");
  await page.waitForSelector("#error:not([hidden])");
  expect(await text(page, "#error")).toMatch(/^package\.json: bench: the file has no format/);
  expect(problems).toEqual([]);
  await page.close();
});
