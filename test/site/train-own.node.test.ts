import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeIdx } from "../../src/data/index.ts";
import { launchBrowser } from "../../tools/page.mjs";
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
  await page.waitForFunction(
    () => document.querySelector<HTMLCanvasElement>("#weights canvas")?.width === 5,
  );
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
  // All that comes with the first results has had its room: no control has moved.
  await waitForText(page, "activations", /4 maps of 28 × 28: from .*Outcome: \d, /);
  await waitForText(page, "mistakes-hint", /^After/);
  expect(opened.problems).toEqual([]);
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

/** What the places where Fashion-MNIST is published answer, by the file's name. */
type Headers = { name: string; value: string }[];
type Answers = (name: string) => { readonly status: number; readonly body: Uint8Array };

/** Answers for those places, also to workers; the published checksums are put in place by `sums`. */
async function publish(browser: Browser, sums: ReadonlyMap<string, string>, answers: Answers) {
  const session = await browser.target().createCDPSession();
  const asked: string[] = [];
  const answer = (requestId: string, responseCode: number, body: Uint8Array, headers: Headers) =>
    session.send("Fetch.fulfillRequest", {
      ...{ requestId, responseCode, responseHeaders: headers },
      body: Buffer.from(body).toString("base64"),
    });
  session.on("Fetch.requestPaused", async ({ request, requestId, responseHeaders }) => {
    if (responseHeaders) {
      // The worker's script.
      const { body } = await session.send("Fetch.getResponseBody", { requestId });
      let script = Buffer.from(body, "base64").toString();
      for (const [published, own] of sums) script = script.replace(published, own);
      const headers = responseHeaders.filter(
        ({ name }) => !/^content-(length|encoding)/i.test(name),
      );
      return answer(requestId, 200, Buffer.from(script), headers);
    }
    const name = request.url.split("/").at(-1) as string;
    asked.push(name);
    const { status, body } = answers(name);
    return answer(requestId, status, body, [{ name: "Access-Control-Allow-Origin", value: "*" }]);
  });
  await session.send("Fetch.enable", {
    patterns: [
      { urlPattern: "*/fashion-mnist*" },
      { urlPattern: "*/assets/job-*.js", requestStage: "Response" },
    ],
  });
  return asked;
}

/** The published checksums in the order of the files. */
const PUBLISHED = [
  "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
  "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
  "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
  "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
];

test("Fashion-MNIST is fetched while a run goes on, which a failure leaves alone", async () => {
  const files = [...idx(240), ...idx(40)].map((bytes) => gzipSync(bytes));
  const names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
  const sums = files.map((bytes, i) => {
    return [PUBLISHED[i], createHash("sha256").update(bytes).digest("hex")] as const;
  });
  let mode: "missing" | "broken" | "sound" = "missing";
  const browser = await launchBrowser();
  const asked = await publish(browser, new Map(sums), (name) => {
    const body = files[names.findIndex((each) => name === `${each}-ubyte.gz`)];
    if (mode === "missing") return { status: 503, body: new Uint8Array() };
    return { status: 200, body: mode === "broken" ? body.subarray(0, -9) : body };
  });
  const { page } = await site.open("train/?device=cpu", { browser });
  await waitForPhase(page, "training");
  await page.select("#data", "fashion");
  const goesOn = async () => {
    expect(await page.$eval("body", (body) => body.dataset.phase)).toBe("training");
    expect(await page.$eval(".failure", (x) => (x as HTMLElement).hidden)).toBe(true);
    const before = await numberIn(page, "#figure-step");
    await page.waitForFunction(
      (was) => Number(document.getElementById("figure-step")?.textContent?.replace(",", "")) > was,
      {},
      before,
    );
  };
  await page.click("#fashion-fetch");
  await waitForText(
    page,
    "status",
    /^Fashion-MNIST cannot be read: train-images-idx3-ubyte\.gz from .*\(HTTP 503\), .*Try again later/,
  );
  await goesOn();
  mode = "broken";
  await page.click("#fashion-fetch");
  await waitForText(page, "status", /\(\d+ bytes of SHA-256 .*expected the published file\. Try/);
  await goesOn();
  mode = "sound";
  await page.click("#fashion-fetch");
  await waitForText(page, "detail", /240 examples and 40 for the test/);
  await waitForText(page, "confusion", /Ankle boot/);
  expect(new Set(asked).size).toBe(4);
  // It is kept: a page that is opened later asks nobody.
  asked.length = 0;
  await page.reload();
  await waitForPhase(page, "training");
  await page.select("#data", "fashion");
  await page.click("#fashion-fetch");
  await waitForText(page, "detail", /240 examples and 40 for the test/);
  expect(asked).toEqual([]);
  await browser.close();
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
