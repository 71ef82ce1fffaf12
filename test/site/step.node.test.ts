import { expect, test } from "vitest";
import {
  expectSound,
  numberIn,
  text,
  useSite,
  waitForMovement,
  waitForPhase,
} from "../support/site.ts";

const site = useSite();

/** The figures under a name, in one of the lists of figures. */
function figure(name: string): string {
  return `//dt[text()="${name}"]/following-sibling::dd`;
}

test.each([
  [1280, false],
  [390, true],
])("at %d pixels a step is shown in all its forms while it trains", async (width, dark) => {
  const opened = await site.open("step/", { width, dark });
  const { page } = opened;
  await waitForPhase(page, "training");
  await waitForMovement(page, "#step");
  const dispatches = await page.waitForSelector(`xpath/${figure("Dispatches")}`);
  expect(Number(await dispatches?.evaluate((x) => x.textContent))).toBeLessThanOrEqual(5);
  await page.waitForSelector("#times svg rect");
  expect(await numberIn(page, "#times-caption")).toBeGreaterThan(5);
  expect(await page.$$eval("#graph path", (all) => all.length)).toBeGreaterThan(50);
  await page.waitForSelector("#memory svg rect");
  await expectSound(opened);
  await page.close();
});

test("what is chosen is marked everywhere, and its kernel is shown", async () => {
  const { page } = await site.open("step/");
  await page.waitForSelector("#kernel pre");
  await page.click('#groups [role="option"]:nth-of-type(2)');
  await page.waitForSelector('#groups [aria-selected="true"]');
  const chosen = await text(page, '#groups [aria-selected="true"] span:nth-child(2)');
  expect(await text(page, "#kernel-text")).toContain(chosen.replaceAll(" + ", ", "));
  const marked = await page.$$eval("#program .marked", (all) => all.length);
  expect(marked).toBeGreaterThanOrEqual(chosen.split(" + ").length);
  await page.waitForFunction(() =>
    document.querySelector("#kernel pre")?.textContent?.includes("@compute"),
  );
  // By keys: the last step of the program becomes a state, and its group is marked in turn.
  await page.focus("#program");
  await page.keyboard.press("End");
  const last = await text(page, '#program [aria-selected="true"] span:nth-child(2)');
  expect(last).toContain("becomes");
  expect(await page.$$eval('#groups [aria-selected="true"]', (all) => all.length)).toBe(1);
  await page.close();
});

test("a model that is chosen stands in the address, and a shared one is shown", async () => {
  const { page } = await site.open("step/");
  await page.waitForSelector("#kernel pre");
  await page.select('[name="model"]', "normalised");
  expect(page.url()).toMatch(/\?model=normalised$/);
  await page.waitForFunction(() =>
    document.querySelector("#program")?.textContent?.includes("standardize"),
  );
  expect(await text(page, "#code pre")).toContain("BatchNorm1d");
  await page.goto(`${site.url}step/?model=gpt`);
  await page.waitForFunction(() =>
    document.querySelector("#groups")?.textContent?.includes("attentionQueryGradient"),
  );
  expect(await page.$eval('[name="model"]', (x) => (x as HTMLSelectElement).value)).toBe("gpt");
  await page.close();
});

test("what is shown of a model is gone while another is set up", async () => {
  const { page } = await site.open("step/");
  await page.waitForSelector("#times svg rect");
  // What stands there when the new run begins, before anything is known of it.
  const left = await page.evaluate(() => {
    const select = document.querySelector('[name="model"]') as HTMLSelectElement;
    select.value = "gpt";
    const found = new Promise<string[]>((resolve) => {
      new MutationObserver((_, observer) => {
        if (document.body.dataset.phase !== "loading") return;
        observer.disconnect();
        const ids = ["step", "loss", "figures", "program", "groups", "kernel", "memory", "times"];
        resolve(ids.map((id) => document.getElementById(id)?.textContent ?? ""));
      }).observe(document.body, { attributes: true, attributeFilter: ["data-phase"] });
    });
    select.dispatchEvent(new Event("change", { bubbles: true }));
    return found;
  });
  const [step, loss, figures, ...lists] = left;
  expect([step, loss]).toEqual(["0", "–"]);
  expect(figures).not.toMatch(/\d/);
  expect(lists).toEqual(["", "", "", "", ""]);
  await page.waitForFunction(() =>
    document.querySelector("#groups")?.textContent?.includes("attentionQueryGradient"),
  );
  await page.close();
});
