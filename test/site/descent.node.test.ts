import { expect, test } from "vitest";
import { parseFormula } from "../../site/descent/formula.ts";
import { evaluateFormula } from "../../site/descent/landscape.ts";
import { LANDSCAPES } from "../../site/descent/landscapes.ts";
import { grad, init, sum, tensor } from "../../src/index.ts";
import {
  expectSound,
  fill,
  numberIn,
  overflow,
  text,
  useSite,
  waitForPhase,
} from "../support/site.ts";

const site = useSite();

/** A formula and its slopes at a place, as the library computes them. */
async function at(formula: string, x: number, y: number): Promise<number[]> {
  await init({ device: "cpu" });
  const places = [x, y].map((value) => tensor(value, { dtype: "f64" }));
  const value = evaluateFormula(parseFormula(formula), places[0], places[1]);
  const found = [value, ...grad(sum(value), places)];
  return Promise.all(found.map((each) => each.item()));
}

test.each([
  ["-x^2", 3, 0, [-9, -6, 0]], // the power binds closer than the sign
  ["2x y - 3 (x - y) / 2", 1, 2, [5.5, 2.5, 3.5]],
  ["x^y", 2, 3, [8, 12, 8 * Math.log(2)]],
  ["2^3^2 + 0x", 1, 1, [512, 0, 0]], // from the right
  [
    "sin(x) cos(y)",
    0.5,
    1,
    [Math.sin(0.5) * Math.cos(1), Math.cos(0.5) * Math.cos(1), -Math.sin(0.5) * Math.sin(1)],
  ],
  [
    "exp(-x) + log(y) + sqrt(x**2) + abs(-y)",
    2,
    4,
    [Math.exp(-2) + Math.log(4) + 6, 1 - Math.exp(-2), 1.25],
  ],
  ["1.5e1 + 2pi", 0, 0, [15 + 2 * Math.PI, 0, 0]],
  [LANDSCAPES.rosenbrock.formula, -1.5, 2, [12.5, -155, -50]],
  [LANDSCAPES.himmelblau.formula, 3, 2, [0, 0, 0]],
])("%s at (%d, %d)", async (formula, x, y, expected) => {
  const found = await at(formula, x, y);
  found.forEach((value, k) => {
    expect(value).toBeCloseTo(expected[k], 9);
  });
});

test.each([
  ["x +", "the end; expected x, y, a number, pi, sin, cos, exp, log, sqrt, abs or “(”"],
  ["alert(1)", "“alert” at 1; expected x, y, a number, pi, sin, cos, exp, log, sqrt, abs or “(”"],
  ["sin x", "“x” at 4; expected “(”"],
  ["(x", "the end; expected “)”"],
  ["x)", "“)” at 2; expected an operation or the end"],
  ["x; y", "“;” at 2; expected an operation or the end"],
  ["(".repeat(300), "too deep; expected a shorter formula"],
])("refuses %s", (formula, message) => {
  expect(() => parseFormula(formula)).toThrow(message);
});

test("refuses a long formula", () => {
  const formula = `x${" + x".repeat(20_000)}`;
  expect(() => parseFormula(formula)).toThrow(
    "80001 characters; expected a formula of at most 500",
  );
});

test.each([
  [1280, false],
  [390, true],
])("at %d pixels all methods go downhill, and too large a rate diverges", async (width, dark) => {
  const opened = await site.open("descent/", { width, dark });
  const { page } = opened;
  await page.waitForSelector("#contours svg");
  await page.waitForFunction(() => Number(document.getElementById("step")?.textContent) > 5);
  for (const id of ["descent", "adam", "genetic"]) {
    await page.waitForFunction(
      (cell) => Number.parseFloat(document.getElementById(cell)?.textContent ?? "") < 3,
      {},
      `${id}-height`, // 49 / 20 + 4 where all began; a generation may be worse than the one before
    );
  }
  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  const before = await numberIn(page, "#step");
  await page.click(".run button:nth-child(2)");
  await page.waitForFunction(
    (step) => Number(document.getElementById("step")?.textContent) > step,
    {},
    before,
  );
  await page.click("#too-large");
  await page.waitForFunction(() => document.getElementById("descent-rate")?.textContent === "1.27");
  await page.click(".run .primary"); // a paused page stays paused
  await page.waitForFunction(() =>
    document.getElementById("verdict")?.textContent?.includes("Gradient descent (step"),
  );
  expect(await text(page, "#descent-where")).toBe("diverged");
  expect(await text(page, "#adam-where")).not.toBe("diverged");
  await fill(page, "#formula", "x^2 + system(y)");
  expect(await text(page, "#formula-error")).toMatch(/^Expected a formula of x and y/);
  await expectSound(opened);
  await page.close();
});

test("a shared address has the same formula and start, and the noise is smoothed", async () => {
  const query = new URLSearchParams({ landscape: "own", formula: "x^2 + 3y^2", from: "2, 1" });
  const { page } = await site.open(`descent/?${query}`, { calm: true });
  await waitForPhase(page, "paused");
  await page.click(".run button:nth-child(2)");
  await page.waitForFunction(() => document.getElementById("step")?.textContent === "1");
  expect(await numberIn(page, "#descent-height")).toBe(7); // as it was before the step
  await page.focus("#beta");
  await page.keyboard.press("Home");
  const [raw, smoothed] = (await text(page, "#smoothness")).match(/[\d.]+\d/g) ?? [];
  expect(smoothed).toBe(raw); // β = 0 smooths nothing
  await page.keyboard.press("End");
  expect(page.url()).toContain("beta=0.98");
  await page.close();
});

test("where the function has no value no rate is blamed, and a start too far is none", async () => {
  const query = new URLSearchParams({
    landscape: "own",
    formula: "log(x)",
    from: `${"9".repeat(23)},1`,
  });
  const { page } = await site.open(`descent/?${query}`, { width: 320 });
  // It begins at x = −3, for the start that was given is out of range.
  await page.waitForFunction(() => Number(document.getElementById("step")?.textContent) > 1);
  expect(await text(page, "#adam-where")).toBe("undefined here");
  expect(await text(page, "#genetic-height")).not.toBe("∞");
  const verdict = await text(page, "#verdict");
  expect(verdict).toMatch(/^Where the function is undefined.*Adam \(step 1\)/);
  expect(verdict).not.toContain("Too large a rate");
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await fill(page, "#from", "2000, 1");
  expect(await text(page, "#from-error")).toBe(
    "Expected two numbers from −1,000 to 1,000, as in -1.5, 2.",
  );
  await page.close();
});

test("a formula that is wider than its place is scrolled by keys", async () => {
  const { page } = await site.open("descent/", { calm: true });
  await page.waitForSelector('math[display="block"]:not([tabindex])');
  await page.$eval('math[display="block"]', (math) => {
    (math as HTMLElement).style.maxWidth = "40px";
  });
  await page.waitForSelector('math[display="block"][tabindex="0"]');
  await page.close();
});
