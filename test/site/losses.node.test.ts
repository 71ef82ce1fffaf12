import { expect, test } from "vitest";
import { CATALOGUE, type Choice, heldTo } from "../../site/losses/catalogue.ts";
import { sample } from "../../site/losses/curve.ts";
import { answer } from "../../site/losses/sampler.ts";
import * as losses from "../../src/losses/index.ts";
import { expectSound, numberIn, text, useSite, waitForPhase } from "../support/site.ts";

const site = useSite();

/** What is no loss, but makes logits or targets for one, or is a part of another. */
const OTHERS = ["cosineSimilarity", "smoothLabels"];

test("shows every loss of the library", () => {
  const functions = Object.keys(losses).filter((name) => /^[a-z]/.test(name));
  expect(functions.filter((name) => !(name in CATALOGUE))).toEqual(OTHERS);
});

test("its values and slopes are those of the formulas", async () => {
  const huber = await sample("huber", 7, 1); // −3 to 3
  expect(Array.from(huber.loss)).toEqual([2.5, 1.5, 0.5, 0, 0.5, 1.5, 2.5]);
  expect(Array.from(huber.dx)).toEqual([-1, -1, -1, 0, 1, 1, 1]);
  // −ln softmax(s cos θ) of two weights at a right angle, at 0°: slopes are those of a radian.
  const turned = await sample("normSoftmax", 5, 2);
  const share = Math.exp(2) / (Math.exp(2) + 1);
  expect(turned.loss[2]).toBeCloseTo(-Math.log(share), 5);
  expect(turned.dx[2]).toBeCloseTo(2 * (1 - share), 5);
  const { xs, ys, loss, dx, dy } = await sample("crossEntropy", 3, 0);
  ys.forEach((wrong, j) => {
    xs.forEach((right, i) => {
      const total = Math.exp(right) + Math.exp(wrong) + 1;
      const k = j * xs.length + i;
      expect(loss[k]).toBeCloseTo(Math.log(total) - right, 5);
      expect(dx[k]).toBeCloseTo(Math.exp(right) / total - 1, 5);
      expect(dy[k]).toBeCloseTo(Math.exp(wrong) / total, 5);
    });
  });
});

test("what an address chooses is held to what the loss can have", async () => {
  const of = (name: "huber" | "pinball" | "largeMarginLogits") => CATALOGUE[name].choice as Choice;
  expect(heldTo(of("huber"), 0)).toBe(0.1);
  expect(heldTo(of("huber"), 100)).toBe(3);
  expect(heldTo(of("pinball"), 0.9)).toBe(0.9);
  expect(heldTo(of("largeMarginLogits"), 2.4)).toBe(2);
});

test("a question that fails is told of", async () => {
  const failed = await answer({ id: 3, name: "huber", n: 3, chosen: -1 });
  expect(failed).toMatchObject({ id: 3, problem: expect.stringMatching(/delta/) });
});

test("no text has code in it", () => {
  for (const { text, paper } of Object.values(CATALOGUE)) {
    expect(`${text} ${paper}`).not.toMatch(/\(\)/);
  }
});

test.each([
  [1280, false],
  [390, true],
])(
  "at %d pixels the dot rolls, losses are chosen, and the slow start is seen",
  async (width, dark) => {
    const opened = await site.open("losses/", { width, dark });
    const { page } = opened;
    await page.waitForSelector("#picture svg");
    await page.waitForFunction(() => {
      const left = document.getElementById("dot")?.style.transform ?? "";
      return Object.assign(globalThis, { left }) && left !== "";
    });
    await page.waitForFunction(
      () =>
        document.getElementById("dot")?.style.transform !==
        (globalThis as never as { left: string }).left,
    );
    await page.select("#loss", "hinge");
    await page.waitForFunction(() =>
      /caption|1/.test(document.querySelector("#formula math")?.textContent ?? ""),
    );
    await page.focus("#at");
    await page.keyboard.press("Home"); // t y = −2
    await page.waitForFunction(
      () => document.getElementById("loss-value")?.textContent === "3.000",
    );
    expect(await text(page, "#slope-value")).toBe("−1.000");
    await page.click('.gallery button[value="triplet"]');
    await page.waitForFunction(() =>
      /,/.test(document.getElementById("slope-value")?.textContent ?? ""),
    );
    expect(await page.$eval("#loss", (x) => (x as HTMLSelectElement).value)).toBe("triplet");
    expect(page.url()).toContain("loss=triplet");
    await page.goBack();
    await page.waitForFunction(() => !location.search.includes("triplet"));
    // The squared error has learned nothing when the cross-entropy has; later it has.
    await page.evaluate(() => {
      const verdict = document.getElementById("verdict") as HTMLElement;
      const told: string[] = [];
      verdict.textContent = "of the run before"; // so that its end is seen where nothing was told yet
      new MutationObserver(() => told.push(verdict.textContent ?? "")).observe(verdict, {
        childList: true,
      });
      Object.assign(globalThis, { told });
    });
    // Not by its place: the page may still be scrolling up to the loss that was pressed.
    await page.$eval(".run button:nth-of-type(3)", (button) => (button as HTMLElement).click());
    const told = await page.waitForFunction(() => {
      const { told } = globalThis as never as { told: string[] };
      const again = told.slice(told.indexOf("") + 1);
      return told.includes("") && again.find((verdict) => verdict.includes("below 0.1"));
    });
    expect(await told.jsonValue()).toMatch(/Trained by the squared error it is not yet\.$/);
    await page.waitForSelector(".gallery li:last-child svg");
    await expectSound(opened);
    await page.close();
  },
);

test("a shared address shows the same place, and a wrong one the usual", async () => {
  const { page } = await site.open("losses/?loss=pinball&chosen=0.9&at=100&rate=99&bias=4", {
    calm: true,
  });
  await page.waitForFunction(() => document.getElementById("loss-value")?.textContent !== "–");
  expect(await numberIn(page, "#loss-value")).toBeCloseTo(0.1 * 3, 3); // y − t = 3, 1 − q = 0.1
  expect(await text(page, "#symbol")).toBe("q");
  await waitForPhase(page, "paused");
  expect(await text(page, 'output[for="rate"]')).toBe("0.5");
  expect(await text(page, 'output[for="bias"]')).toBe("4");
  // Each form keeps what the other has in the address.
  await page.focus("#bias");
  await page.keyboard.press("ArrowRight");
  expect(new URL(page.url()).search).toMatch(/loss=pinball.*chosen=0\.9.*bias=4\.5/);
  await page.close();
});

test.each([
  ["huber", "0", "0.1"],
  ["largeMarginLogits", "2.5", "3"],
])("%s with %s is shown with %s, and the next loss after it", async (loss, given, held) => {
  const { page } = await site.open(`losses/?loss=${loss}&chosen=${given}`, { calm: true });
  await page.waitForSelector("#picture svg");
  expect(await text(page, "#chosen-value")).toBe(held);
  await page.select("#loss", "hinge");
  await page.waitForFunction(() =>
    document.querySelector("#picture svg")?.closest("[aria-label]")?.ariaLabel?.startsWith("hinge"),
  );
  await page.close();
});
