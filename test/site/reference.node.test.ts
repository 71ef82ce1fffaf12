import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { expectSound, text, useSite } from "../support/site.ts";

const site = useSite();

/** All code has a button, the first of which copies the code by the keyboard; code is in colours. */
async function expectCopies(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.defineProperty(navigator.clipboard, "writeText", {
      configurable: true,
      value: async (text: string) => Object.assign(globalThis, { copied: text }),
    });
  });
  const codes = await page.$$eval("#article pre", (all) => all.map((each) => each.textContent));
  expect(codes.length).toBeGreaterThan(0);
  expect(await page.$$eval("#article .code > button", (all) => all.length)).toBe(codes.length);
  await page.focus("#article .code > button");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    () => document.querySelector("#article .code > button")?.textContent === "Copied",
  );
  expect(await page.evaluate(() => (globalThis as { copied?: string }).copied)).toBe(codes[0]);
  const colour = (selector: string) =>
    page.$eval(selector, (element) => getComputedStyle(element).color);
  expect(await colour("#article .code :is(.k, .s, .n)")).not.toBe(await colour("#article .code"));
}

test.each([
  [1280, false],
  [390, true],
])("at %d pixels guides are read, and functions are found", async (width, dark) => {
  const opened = await site.open("reference/", { width, dark });
  const { page } = opened;
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Setting up");
  await expectSound(opened);
  await expectCopies(page);
  await page.type("#search", "entropy");
  await page.waitForSelector('.index a[href="#gradus/losses/crossEntropy"]');
  await expectSound(opened);
  await page.click('.index a[href="#gradus/losses/crossEntropy"]');
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "crossEntropy");
  expect(await text(page, "#article pre")).toMatch(/^crossEntropy\(/);
  expect(await text(page, "#article")).toContain("Example");
  await expectCopies(page);
  await expectSound(opened);
  await page.close();
});

test("a place stands in the address, and links lead from one to another", async () => {
  const { page } = await site.open("reference/#gradus/nn");
  await page.waitForSelector('.index a[href="#gradus/nn/Linear"]');
  expect(await text(page, '#lists [aria-current="page"]')).toBe("gradus/nn");
  await page.click('.index a[href="#gradus/nn/Linear"]');
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Linear");
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "gradus/nn");
  // All links of all guides lead to something.
  const dead = await page.evaluate(async () => {
    const places = [...document.querySelectorAll<HTMLAnchorElement>("#lists a")].map((a) => a.hash);
    const found: string[] = [];
    const title = () => document.querySelector("#article h1")?.textContent;
    for (const place of places) {
      location.hash = place;
      await new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
      const links = [
        ...document.querySelectorAll<HTMLAnchorElement>('#article a[href^="#guide/"]'),
      ];
      for (const { hash } of links) if (!places.includes(hash)) found.push(`${title()}: ${hash}`);
    }
    return found;
  });
  expect(dead).toEqual([]);
  await page.close();
});

test("says that nothing was found", async () => {
  const { page } = await site.open("reference/");
  await page.waitForSelector("#lists a");
  await page.type("#search", "xyzzyx");
  expect(await text(page, "#article h1")).toBe("Nothing was found for “xyzzyx”");
  await page.close();
});

test("says where nothing is, whatever the address", async () => {
  const { page, problems } = await site.open("reference/#guide/nope");
  await page.waitForSelector("#lists a");
  expect(await text(page, "#article h1")).toBe("There is nothing at “guide/nope”");
  await page.evaluate(() => {
    location.hash = "#%E0%A4%A";
  });
  await page.waitForFunction(
    () => document.querySelector("#article h1")?.textContent === "There is nothing at “%E0%A4%A”",
  );
  expect(problems).toEqual([]);
  await page.close();
});

test("a search stands in the address, and is there again after going back", async () => {
  const { page } = await site.open("reference/");
  await page.waitForSelector("#lists a");
  await page.type("#search", "entropy");
  expect(new URL(page.url()).search).toBe("?q=entropy");
  await page.reload();
  const found = '.index a[href="#gradus/losses/crossEntropy"]';
  await page.waitForSelector(found);
  expect(await page.$eval("#search", (x) => (x as HTMLInputElement).value)).toBe("entropy");
  await page.click(found);
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "crossEntropy");
  expect(new URL(page.url()).search).toBe("");
  await page.goBack();
  await page.waitForSelector(found);
  expect(new URL(page.url()).search).toBe("?q=entropy");
  await page.close();
});
