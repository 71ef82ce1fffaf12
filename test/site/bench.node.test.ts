import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { expectSound, overflow, text, upload, useSite, violations } from "../support/site.ts";

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
  // The threads of tfjs-wasm get the text of a function, which a minifier may not spoil.
  const peers = ["gradus-webgpu", "tfjs-cpu", "tfjs-wasm"];
  await choose(page, [...peers, "ort-wasm", "softmax of rows [100,10]"]);
  await page.click("#start");
  await page.waitForSelector('body[data-phase="finished"]', { timeout: 60_000 });
  expect(await text(page, "#status")).toBe("Finished.");
  expect(await text(page, "#tables caption")).toBe("softmax of rows [100,10]");
  for (const peer of peers) {
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

  const ranked = await page.$$eval("#summary tbody th", (all) => all.map((x) => x.textContent));
  expect(ranked.sort()).toEqual(["tfjs-cpu", "tfjs-wasm"]);
  // The run just made is one to choose, and is compared with one of those that come with the site.
  expect(await page.$eval("#run", (x) => (x as HTMLSelectElement).value)).toBe("made");
  await page.select("#with", "all");
  await page.waitForFunction(() => document.getElementById("earlier-name")?.textContent);
  expect(await text(page, 'tr[data-peer="tfjs-cpu"] .hint')).toMatch(
    /× (faster|slower) than compared$/,
  );
  expect(await violations(page)).toEqual([]);

  await upload(page, "earlier", "package.json");
  await page.waitForSelector("#error:not([hidden])");
  expect(await text(page, "#error")).toMatch(/^package\.json: bench: the file has no format/);
  expect(problems).toEqual([]);
  await page.close();
});

test("earlier runs are chosen and compared, and their curves are shown", async () => {
  const opened = await site.open("bench/?run=sizes");
  const { page } = opened;
  await page.waitForSelector("#products-figure:not([hidden]) canvas");
  expect(await page.$eval("#products-figure .chart", (x) => x.ariaLabel)).toMatch(
    /^Products of two matrices.*gradus-cpu \d/,
  );
  await page.waitForSelector("#chains-figure:not([hidden]) canvas");
  await page.select("#with", "all");
  await page.waitForFunction(() =>
    document.querySelector("#tables .hint")?.textContent?.endsWith(" than compared"),
  );
  expect(page.url()).toMatch(/\?run=sizes&with=all$/);
  await expectSound(opened);
  // Libraries that were timed at some of the workloads only are not ranked.
  await page.select("#run", "all");
  await page.waitForFunction(() => document.querySelectorAll("#tables table").length === 4);
  expect(await text(page, "#summary tbody tr:last-child")).toMatch(/^ort-\w+1 of 4not ranked$/);
  await page.select("#view", "training");
  await page.waitForFunction(() => document.querySelectorAll("#tables table").length === 8);
  for (const run of ["cpu", "node"]) {
    await page.select("#run", run);
    await page.waitForFunction(
      (place) => {
        const told = document.getElementById("machine")?.textContent ?? "";
        return told.startsWith("2026-11-28") && told.includes("Node") === (place === "node");
      },
      {},
      run,
    );
    await page.waitForSelector('#tables tr[data-peer="gradus-cpu"] .figure');
  }
  // A run that is not there gives way to the first.
  await page.goto(`${site.url}bench/?run=made`);
  await page.waitForSelector("#tables table");
  expect(page.url()).toMatch(/bench\/$/);
  await page.close();
});
