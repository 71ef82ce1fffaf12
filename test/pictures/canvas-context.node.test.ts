import type { Page } from "puppeteer";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BROWSER_FLAGS } from "../../tools/browser.mjs";
import { launchBrowser } from "../../tools/page.mjs";
import type * as shownCanvas from "../support/shown-canvas.ts";

declare global {
  var canvases: typeof shownCanvas;
}

let server: ViteDevServer;
let browser: Awaited<ReturnType<typeof launchBrowser>>;
let page: Page;

beforeAll(async () => {
  server = await createServer({
    configFile: "vite.config.ts",
    root: ".",
    cacheDir: "node_modules/.vite/test-canvases",
    server: { port: 0, host: "127.0.0.1", watch: null },
    logLevel: "error",
  });
  await server.listen();
  // Without these, Chromium's process for GPUs ends where a canvas shows what WebGPU drew, if there is no GPU.
  const software = [
    "--enable-features=Vulkan",
    "--use-vulkan=swiftshader",
    "--use-angle=swiftshader",
  ];
  browser = await launchBrowser({ args: [...BROWSER_FLAGS, ...software] });
  page = await browser.newPage();
  await page.goto(`${server.resolvedUrls?.local[0]}test/support/canvases.html`);
  await page.waitForFunction(() => globalThis.canvases !== undefined);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const WIDTHS = [3, 64, 70, 1];

test.each([
  ["page", {}],
  ["offscreen", {}],
  ["page", { dtype: "f32", layout: "CHW" }],
  ["offscreen", { isNew: true }],
] as const)("pixels stay on the GPU on their way to a canvas: %s, %o", async (kind, options) => {
  const all = await page.evaluate(
    (...given) => canvases.draw(given[0], given[1] as number[], true, given[2]),
    kind,
    WIDTHS,
    options,
  );
  expect(all).toHaveLength(WIDTHS.length);
  for (const { given, shown, reads, held } of all) {
    expect(shown).toEqual(given);
    expect(reads).toBe(0);
    expect(held).toBe(all[0].held);
  }
});

test("colours are multiplied by alpha, as canvases of WebGPU want that", async () => {
  const [{ given, shown }] = await page.evaluate(() => canvases.draw("page", [40], false, {}));
  for (const [i, value] of shown.entries()) {
    const alpha = given[i | 3];
    if (i % 4 === 3) expect(value).toBe(alpha);
    else if (alpha > 0) expect(Math.abs(value - given[i])).toBeLessThanOrEqual(128 / alpha + 1);
  }
});

test("what goes wrong is told, and the next picture is drawn", async () => {
  const [first, copy, second, settings, third, target, fourth, other] = await page.evaluate(() =>
    canvases.failures(),
  );
  expect([first, second, third, fourth]).toEqual(["drawn", "drawn", "drawn", "drawn"]);
  expect(copy).toMatch(/^MemoryError: toCanvas: /);
  expect(settings).toBe("DeviceError: toCanvas: webgpu: injected; expected a valid command");
  expect(target).toMatch(/^DeviceError: toCanvas: webgpu: /);
  expect(other).toBe(
    "GradusError: toCanvas: a canvas with another context; expected one with 2d, or with none yet",
  );
});
