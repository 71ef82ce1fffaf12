import type { Browser } from "puppeteer";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../../tools/page.mjs";

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/isolated": ISOLATED,
  "/alone": {},
  "/strict": { ...ISOLATED, "Content-Security-Policy": "worker-src 'self'" },
};

let server: ViteDevServer;
let browser: Browser;
beforeAll(async () => {
  server = await createServer({
    configFile: "vite.config.ts",
    root: ".",
    cacheDir: "node_modules/.vite/test-threads",
    server: { port: 0, host: "127.0.0.1", watch: null, headers: ISOLATED },
    logLevel: "error",
    plugins: [
      {
        name: "pages",
        configureServer({ middlewares }) {
          for (const [path, headers] of Object.entries(PAGES)) {
            middlewares.use(path, (_, response) => {
              for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
              response.setHeader("Content-Type", "text/html");
              response.end("<!doctype html><title>threads</title>");
            });
          }
        },
      },
    ],
  });
  [browser] = await Promise.all([launchBrowser(), server.listen()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Multiplies matrices in a page, on its own thread, until another thread has done a part. */
const PROGRAM = `(async () => {
  const g = await import("/src/index.ts");
  const start = (threads) => g.init({ device: "cpu", engine: "compiled", threads, isolated: true });
  const [{ device, reason }, one] = [await start(3), await start(1)];
  const values = Float32Array.from({ length: 2 ** 16 }, (_, i) => Math.sin(i));
  const product = async (device) => {
    using x = g.tensor(values, { shape: [256, 256], device });
    using y = g.matmul(x, x).mul(0.5);
    return await y.data();
  };
  const wanted = await product(one.device);
  const { threads } = device.session.engine;
  let isEqual = true;
  let tries = 0;
  do {
    const own = await product(device);
    isEqual &&= own.buffer instanceof ArrayBuffer && own.every((x, i) => x === wanted[i]);
  } while (threads && threads.done === 0 && ++tries < 2000);
  device.dispose();
  return { reason, isEqual, hasHelp: threads ? threads.done > 0 : null };
})()`;

test.each([
  ["/isolated", "asked for", true],
  ["/alone", "asked for; one thread, since the page is not cross-origin isolated", null],
  ["/strict", /^asked for; one thread, since no worker is to be had \(.*polic/, null],
])(
  "in the page %s",
  async (path, reason, hasHelp) => {
    const page = await browser.newPage();
    const { local } = server.resolvedUrls as { local: string[] };
    await page.goto(new URL(path, local[0]).href);
    const found = (await page.evaluate(PROGRAM)) as { reason: string };
    expect(found).toEqual({ reason: expect.stringMatching(reason), isEqual: true, hasHelp });
    await page.close();
  },
  60_000,
);
