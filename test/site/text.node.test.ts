import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { complaint, OWN_LENGTH, TEXTS } from "../../site/text/texts.ts";
import {
  expectSound,
  fill,
  text,
  useSite,
  waitForMovement,
  waitForPhase,
} from "../support/site.ts";

const site = useSite();

/** The rungs of the ladder on which something stands. */
const WRITTEN = "#ladder code:not(:empty)";

/** The last values in the chart's description, by their names. */
const chart = (page: Page) =>
  page.$eval("#loss", (host) => {
    const label = host.getAttribute("aria-label") ?? "";
    const told = [...label.matchAll(/(\w+) ([\d.]+)/g)];
    return Object.fromEntries(told.map(([, name, value]) => [name, Number(value)]));
  });

test("the made reports follow their grammar, and texts have a least length", () => {
  const lines = TEXTS.weather.trim().split("\n");
  expect(lines).toHaveLength(320);
  for (const line of lines) {
    expect(line).toMatch(/^On [A-Z][a-z]+day .+ in the [a-z]+, at -?\d+ degrees\. [A-Z].+\.$/);
    if (line.includes("snow")) expect(line).toContain("Wear a warm coat.");
    if (line.includes("sun will")) expect(line).toContain("Go for a swim.");
  }
  expect(new Set(lines).size).toBeGreaterThan(250);
  for (const each of Object.values(TEXTS)) expect(complaint(each)).toBe("");
  expect(complaint("a".repeat(OWN_LENGTH.least - 1))).toBe(
    "299 characters; expected 300 to 200,000.",
  );
  expect(complaint(" ".repeat(1000))).toBe("0 characters; expected 300 to 200,000.");
});

test.each([
  [1280, false],
  [390, true],
])("at %d pixels a net learns to write, and goes on with a prompt", async (width, dark) => {
  const opened = await site.open("text/", { width, dark });
  const { page } = opened;
  await waitForMovement(page, "#sample pre");
  await waitForPhase(page, "training");
  // Below what counting pairs achieves.
  await page.waitForFunction(() => {
    const label = document.getElementById("loss")?.getAttribute("aria-label") ?? "";
    const [, unseen, pairs] = /Unseen ([\d.]+), Pairs ([\d.]+)/.exec(label) ?? [];
    return Number(unseen) < Number(pairs);
  });
  expect((await chart(page)).Triples).toBeLessThan((await chart(page)).Pairs);
  expect((await page.$$(WRITTEN)).length).toBeGreaterThan(1);
  await fill(page, "#prompt", "On Tuesday€");
  expect(new URL(page.url()).searchParams.get("prompt")).toBe("On Tuesday€");
  // A character that the text does not have is left out.
  await page.waitForFunction(
    () => document.querySelector("#sample b")?.textContent === "On Tuesday",
  );
  await page.focus("#temperature");
  await page.keyboard.press("Home");
  await page.waitForFunction(() =>
    document.querySelector("#candidates li")?.textContent?.endsWith("100.0\u202f%"),
  );
  expect(page.url()).toContain("temperature=0");
  await expectSound(opened);
  await page.close();
});

test("a text of one's own is learned, kept for a reload, and refused when it is short", async () => {
  const { page } = await site.open("text/?text=own&layers=1&width=16&context=8", { calm: true });
  await waitForPhase(page, "paused");
  expect(await page.$eval("#own", (area) => (area as HTMLTextAreaElement).value)).toBe(
    TEXTS.rhymes,
  );
  const write = (given: string) =>
    page.$eval(
      "#own",
      (area, value) => {
        (area as HTMLTextAreaElement).value = value;
        area.dispatchEvent(new Event("change", { bubbles: true }));
      },
      given,
    );
  await write("too short");
  expect(await text(page, "#own-problem")).toBe("9 characters; expected 300 to 200,000.");
  await write("abc ".repeat(200));
  expect(await text(page, "#own-problem")).toBe("");
  await page.waitForFunction(() => document.getElementById("characters")?.textContent === "800");
  await page.reload();
  await waitForPhase(page, "paused");
  await page.click(".run .primary");
  await page.waitForFunction((rows) => document.querySelectorAll(rows).length >= 3, {}, WRITTEN);
  // Such a text leaves no doubt, once it is known.
  await page.waitForFunction(() => {
    const label = document.getElementById("loss")?.getAttribute("aria-label") ?? "";
    return Number(/Unseen ([\d.]+)/.exec(label)?.[1]) < 0.5;
  });
  await page.close();
});
