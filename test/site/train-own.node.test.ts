import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeIdx } from "../../src/data/index.ts";
import {
  drop,
  expectSound,
  fill,
  numberIn,
  overflow,
  text,
  upload,
  useSite,
  waitForMovement,
  waitForPhase,
  waitForText,
} from "../support/site.ts";

const site = useSite();
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "train-own-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const widths = (page: Page, selector: string) =>
  page.$$eval(selector, (all) => all.map((each) => (each as HTMLCanvasElement).width));

const queryOf = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams);

test("convolutions show their filters and what these find", async () => {
  const opened = await site.open("train/?data=digits&device=cpu&batch=20&layers=", { dark: true });
  const { page } = opened;
  await page.waitForFunction(() => document.querySelectorAll("#weights canvas").length === 10);
  await fill(page, "#convolutions", "4, 3");
  await page.select("#kernel", "5");
  await page.waitForSelector("#weights.filters canvas:nth-child(8)");
  await waitForText(page, "program", /Conv2d\(1, 4, 5,[\s\S]*MaxPool2d[\s\S]*Conv2d\(4, 3, 5,/);
  await waitForText(page, "program", /new Linear\(147, 10,/); // 3 · 7 · 7
  expect(await widths(page, "#weights canvas")).toEqual([5, 28, 5, 28, 5, 28, 5, 28]);
  expect(
    await page.$$eval("#activations figcaption", (all) =>
      all.map((x) => x.textContent?.split(":")[0]),
    ),
  ).toEqual([
    "Convolution 1, 4 maps of 28 × 28",
    "Pooling 1, 4 maps of 14 × 14",
    "Convolution 2, 3 maps of 14 × 14",
    "Pooling 2, 3 maps of 7 × 7",
    "Outcome",
  ]);
  // A dead filter could keep one map still, but not the maps of another example.
  await waitForMovement(page, "#activations figure:nth-child(1) canvas");
  await page.click(".run .primary");
  await waitForPhase(page, "paused");
  const find = () =>
    page.$eval("#weights canvas:nth-child(2)", (x) => (x as HTMLCanvasElement).toDataURL());
  const found = await find();
  await fill(page, "#example", "7");
  await page.waitForFunction(
    (before) =>
      (document.querySelector("#weights canvas:nth-child(2)") as HTMLCanvasElement).toDataURL() !==
      before,
    {},
    found,
  );
  await expectSound(opened);
  await page.setViewport({ width: 390, height: 844 });
  expect(await overflow(page)).toBe(0);
  await page.reload();
  await page.waitForSelector("#weights.filters canvas:nth-child(8)");
  expect(queryOf(page)).toEqual({
    ...{ data: "digits", convolutions: "4, 3", kernel: "5" },
    ...{ layers: "", batch: "20", device: "cpu" },
  });
  await page.select("#data", "moons");
  await page.waitForSelector("#plane:not([hidden])");
  expect(await page.$eval("#convolutions", (x) => x.checkVisibility())).toBe(false);
  await page.close();
});

/** Made-up pictures in the form of MNIST's files: a bar whose height is the class. */
function idx(count: number): [images: Uint8Array, labels: Uint8Array] {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const images = new Uint8Array(784 * count);
  for (const [i, label] of labels.entries()) {
    for (let k = 0; k < 784; k++) {
      images[784 * i + k] = Math.floor(k / 56) === label ? 255 : (i * 7 + k * 13) % 60;
    }
  }
  return [
    writeIdx({ dtype: "u8", shape: [count, 28, 28], data: images }),
    writeIdx({ dtype: "u8", shape: [count], data: labels }),
  ];
}

test("Fashion-MNIST is read from files that are chosen or dropped", async () => {
  const [images, labels] = idx(240);
  const [testImages, testLabels] = idx(40);
  const files = Object.entries({
    "train-images-idx3-ubyte.gz": gzipSync(images),
    "train-labels-idx1-ubyte": labels,
    "t10k-images-idx3-ubyte": testImages,
    "t10k-labels-idx1-ubyte.gz": gzipSync(testLabels),
  }).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  });
  const opened = await site.open("train/?device=cpu");
  const { page } = opened;
  await waitForPhase(page, "training");
  await page.select("#data", "fashion");
  await waitForText(page, "own-told", /^Nothing is chosen yet/);
  expect(await text(page, "#status")).toMatch(/^Choose the four files/); // and no other rate
  await upload(page, "fashion", ...files.slice(1));
  await waitForPhase(page, "failed");
  expect(await text(page, ".failure")).toMatch(
    /^Fashion-MNIST cannot be read: files .* expected train-images-idx3-ubyte\.gz among them\.$/,
  );
  await upload(page, "fashion", ...files);
  await waitForText(page, "detail", /240 examples and 40 for the test/);
  await waitForText(page, "confusion", /Ankle boot/);
  await fill(page, "#batch", "30"); // the initial value, though not that of pictures
  await waitForText(page, "detail", /240 examples/);
  await page.waitForFunction(
    () => Number.parseFloat(document.getElementById("figure-testAccuracy")?.textContent ?? "") > 90,
  );
  expect(queryOf(page)).toEqual({ data: "fashion", batch: "30", device: "cpu" });
  await expectSound(opened);
  await page.reload();
  await waitForText(page, "own-told", /^Files are not kept .* two spirals are learnt/);
  await drop(page, files);
  await waitForText(page, "detail", /240 examples and 40 for the test/);
  expect(await text(page, "#own-told")).toBe("");
  expect(await page.$eval("#data", (x) => (x as HTMLSelectElement).value)).toBe("fashion");
  await page.close();
});

test("folders of pictures and tables may be chosen or dropped", async () => {
  const root = join(folder, "shapes");
  for (const [name, on] of [
    ["bars", 0],
    ["posts", 1],
  ] as const) {
    mkdirSync(join(root, name), { recursive: true });
    for (let i = 0; i < 12; i++) {
      const data = Uint8Array.from({ length: 400 }, (_, k) => {
        const at = on ? k % 20 : Math.floor(k / 20);
        return Math.abs(at - 4 - i) < 2 ? 250 : (k * 7) % 30;
      });
      const png = encode({ width: 20, height: 20, data, channels: 1, depth: 8 });
      writeFileSync(join(root, name, `${i}.png`), png);
    }
  }
  const table = join(folder, "parts.csv");
  writeFileSync(
    table,
    [
      "a,b,kind",
      ...Array.from({ length: 40 }, (_, i) => `${i % 9},${i % 4},${i % 9 > 3 ? "x" : "y"}`),
    ].join("\n"),
  );
  const { page, problems } = await site.open("train/?device=cpu");
  await waitForPhase(page, "training");
  await page.select("#data", "pictures");
  await upload(page, "pictures", root);
  await waitForText(page, "detail", /18 examples and 6 for the test/);
  await waitForText(page, "confusion", /bars.*posts/);
  await drop(page, [table]);
  await waitForText(page, "detail", /30 examples and 10 for the test/);
  expect(await text(page, "#own-told")).toMatch(/^parts\.csv is learnt\./);
  await drop(page, [root]);
  await waitForText(page, "detail", /18 examples and 6 for the test/);
  expect(await numberIn(page, "#detail")).toBeGreaterThan(50_000);
  await drop(page, [join(root, "bars", "1.png")]);
  await waitForText(page, "status", /^1\.png: expected a CSV file, a folder of pictures/);
  expect(await page.$eval("body", (body) => body.classList.contains("over"))).toBe(false);
  expect(problems).toEqual([]);
  await page.close();
});
