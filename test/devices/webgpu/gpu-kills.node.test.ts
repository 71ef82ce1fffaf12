import type { Browser, Page } from "puppeteer";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BROWSER_FLAGS } from "../../../tools/browser.mjs";
import { launchBrowser } from "../../../tools/page.mjs";
import type { KilledRun, trainThrough } from "../../support/killed-run.ts";

declare global {
  var runs: { trainThrough: typeof trainThrough };
  function killGpu(): Promise<void>;
}

let server: ViteDevServer;
beforeAll(async () => {
  server = await createServer({
    configFile: "vite.config.ts",
    root: ".",
    cacheDir: "node_modules/.vite/test-kills",
    server: { port: 0, host: "127.0.0.1", watch: null },
    logLevel: "error",
  });
  await server.listen();
});
afterAll(() => server.close());

/** Opens the page of runs, in which `killGpu` kills the browser's GPU process. */
async function open(browser: Browser): Promise<Page> {
  const session = await browser.target().createCDPSession();
  const page = await browser.newPage();
  await page.exposeFunction("killGpu", async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    for (const { type, id } of processInfo) if (type === "GPU") process.kill(id, "SIGKILL");
  });
  await page.goto(`${server.resolvedUrls?.local[0]}test/support/kills.html`);
  await page.waitForFunction(() => globalThis.runs !== undefined);
  return page;
}

function run(
  page: Page,
  steps: number,
  mirrorEvery: number | null,
  at: readonly number[],
): Promise<KilledRun> {
  return page.evaluate(
    (...[n, every, kills]) => runs.trainThrough(n, every ?? undefined, kills, killGpu),
    steps,
    mirrorEvery,
    at as number[],
  );
}

const STEPS = 240;
const EVERY = 12;

test("six kills of the GPU process in 240 steps change no bit of the weights", async () => {
  const browser = await launchBrowser();
  try {
    const page = await open(browser);
    const straight = await run(page, STEPS, EVERY, []);
    const killed = await run(page, STEPS, EVERY, [7, 45, 90, 131, 170, 212]);
    const recovered = killed.news.filter((one) => one.event === "recovered");
    const told = recovered.map(({ repeated, milliseconds }) => ({
      repeated,
      milliseconds: Math.round(milliseconds),
    }));
    console.log(`kills: ${JSON.stringify(told)}, ${killed.seconds.toFixed(1)} s in all`);
    expect(straight.news).toEqual([]);
    expect(killed.news.map(({ event }) => event)).toEqual(
      Array(6).fill(["lost", "recovered"]).flat(),
    );
    for (const { kind, repeated, dropped, milliseconds } of recovered) {
      expect(kind).toBe("webgpu");
      expect(repeated).toBeLessThanOrEqual(EVERY);
      expect(dropped).toBe(0);
      expect(milliseconds).toBeLessThan(20_000); // under 2,000 on a machine with nothing else to do
    }
    expect(killed.losses).toEqual(straight.losses);
    expect(killed.bits).toEqual(straight.bits);
  } finally {
    await browser.close();
  }
}, 120_000);

test("where the browser gives no GPU any more, training ends on the CPU", async () => {
  const args = BROWSER_FLAGS.filter((flag) => !/crash-limit|domain-blocking/.test(flag));
  const browser = await launchBrowser({ args });
  try {
    const page = await open(browser);
    const straight = await run(page, 120, 12, []);
    const killed = await run(page, 120, 12, [10, 30, 50, 70]);
    const last = killed.news.at(-1);
    console.log(`to the CPU: ${JSON.stringify(killed.news)}`);
    expect(last).toMatchObject({ event: "recovered", kind: "cpu", dropped: 0 });
    expect(killed.kind).toBe("cpu");
    expect(killed.losses).toHaveLength(straight.losses.length);
    for (const [i, loss] of straight.losses.entries()) {
      expect(Math.abs(killed.losses[i] - loss)).toBeLessThan(1e-4);
    }
  } finally {
    await browser.close();
  }
}, 120_000);
