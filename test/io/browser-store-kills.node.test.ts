import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import type { Browser, Page } from "puppeteer";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { launchBrowser } from "../../tools/page.mjs";
import { isAcceptance } from "../support/acceptance.ts";
import { PATIENT } from "../support/patient.ts";

/** Ends of the whole browser while a page saves. */
const KILLS = isAcceptance ? 6 : 1;

const profiles = mkdtempSync(join(tmpdir(), "gradus-profiles-"));
const browsers: Browser[] = [];
afterEach(async () => {
  for (const browser of browsers.splice(0)) await browser.close();
});
afterAll(() => rmSync(profiles, { recursive: true, force: true, maxRetries: 5 }));

/** Two stores of a page: files of 80 kB, each of one number. */
const { outputFiles } = buildSync({
  stdin: {
    contents: `import { indexedDbStore } from "./src/io/indexed-db-store.ts";
      import { opfsStore } from "./src/io/opfs-store.ts";
      import { writeSafetensors } from "./src/io/safetensors-write.ts";
      import { readSafetensors } from "./src/io/safetensors.ts";
      const stores = { opfsStore: opfsStore("kills/file"), indexedDbStore: indexedDbStore("kills") };
      globalThis.found = async (name) => {
        const bytes = await stores[name].read();
        if (bytes === null) return 0;
        const { data } = readSafetensors(bytes).tensors.get("x");
        return data.every((x) => x === data[0]) ? data[0] : -1;
      };
      globalThis.names = async () => {
        const root = await navigator.storage.getDirectory();
        const folder = await root.getDirectoryHandle("kills", { create: true });
        return Array.fromAsync(folder.keys());
      };
      globalThis.saveOnce = (name) => stores[name].write(writeSafetensors({}));
      globalThis.saveMany = async (name, first, count) => {
        for (let n = first; n < first + count; n++) {
          const data = new Int32Array(20_000).fill(n);
          await stores[name].write(writeSafetensors({ x: { dtype: "I32", shape: [data.length], data } }));
          if ((await found(name)) <= 0) throw new Error("mixed");
        }
      };
      globalThis.saveFrom = async (name, first) => {
        for (let n = first; ; n++) {
          const data = new Int32Array(20_000).fill(n);
          await stores[name].write(writeSafetensors({ x: { dtype: "I32", shape: [data.length], data } }));
          await said(name, n);
        }
      };`,
    resolveDir: join(import.meta.dirname, "../.."),
    loader: "ts",
  },
  bundle: true,
  format: "iife",
  write: false,
});

/** A browser with a profile, the same for each of its names, and a page with the stores. */
async function open(name: string): Promise<{ browser: Browser; page: Page }> {
  const browser = await launchBrowser({ userDataDir: join(profiles, name) });
  browsers.push(browser);
  return { browser, page: await pageOf(browser) };
}

async function pageOf(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    request.respond({ status: 200, contentType: "text/html", body: "<!doctype html>" });
  });
  await page.goto("http://localhost/");
  await page.evaluate(outputFiles[0].text);
  return page;
}

test.each(["opfsStore", "indexedDbStore"])(
  "pages that write to %s at once leave one of their files, whole",
  async (name) => {
    const { browser, page } = await open(`at once ${name}`);
    const other = await pageOf(browser);
    const begin = (of: Page, first: number) => of.evaluate(`saveMany("${name}", ${first}, 60)`);
    await Promise.all([begin(page, 1), begin(other, 1001)]);
    expect([60, 1060]).toContain(await page.evaluate(`found("${name}")`));
    if (name === "opfsStore") expect(await page.evaluate("names()")).toHaveLength(2);
  },
  60_000,
);

test("after a browser is killed while a page saves, its stores hold what was saved last or next", async () => {
  const names = ["opfsStore", "indexedDbStore"] as const;
  const last = { opfsStore: 0, indexedDbStore: 0 };
  for (let i = 0; i <= KILLS; i++) {
    const { browser, page } = await open("killed");
    for (const name of names) {
      const found = (await page.evaluate(`found("${name}")`)) as number;
      expect([last[name], last[name] + 1], name).toContain(found);
      last[name] = found;
    }
    if (i === KILLS) {
      await page.evaluate(`saveOnce("opfsStore")`);
      const names = (await page.evaluate("names()")) as string[];
      expect(names.sort()).toEqual(["file", "file.previous"]);
      break;
    }
    await page.exposeFunction("said", (name: "opfsStore", n: number) => {
      last[name] = n;
    });
    const begun = { ...last };
    for (const name of names)
      page.evaluate(`saveFrom("${name}", ${last[name] + 1})`).catch(() => {});
    await vi.waitUntil(() => names.every((name) => last[name] > begun[name]), PATIENT);
    await new Promise((resolve) => setTimeout(resolve, (i * 37) % 101));
    browser.process()?.kill("SIGKILL");
    await vi.waitUntil(() => browser.process()?.signalCode, PATIENT);
  }
}, 300_000);
