// @ts-check
// Builds the site and writes pictures of its pages to build/screens, narrow and wide, light and dark:
// `npm run screens -- train losses` takes some pages only.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, preview } from "vite";
import { withPage } from "./page.mjs";
import { root } from "./sources.mjs";

const configFile = join(root, "vite.config.ts");
const outDir = join(root, "build/screens-site");
const folder = join(root, "build/screens");
/** How long a page computes before its picture is taken, in milliseconds. */
const WAIT = 4000;
/** How long it takes to lay out anew. */
const SETTLE = 300;

mkdirSync(folder, { recursive: true });
await build({ configFile, logLevel: "error", build: { outDir } });
const server = await preview({
  configFile,
  logLevel: "error",
  build: { outDir },
  preview: { port: 0, host: "127.0.0.1" },
});
await withPage(server, async (page, url) => {
  await page.goto(url);
  const all = await page.$$eval(".bar nav a", (links) =>
    links.map((link) => link.getAttribute("href")?.replace(/[./]/g, "") ?? ""),
  );
  const slugs = process.argv.length > 2 ? process.argv.slice(2) : ["home", ...all];
  for (const slug of slugs) {
    for (const width of [1280, 390]) {
      for (const value of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        await page.setViewport({ width, height: width > 600 ? 900 : 844 });
        await page.goto(slug === "home" ? url : `${url}${slug}/`);
        await new Promise((resolve) => setTimeout(resolve, WAIT));
        if (width < 600) {
          // As tall as the page, so that what is fixed to the foot of the screen stands at its foot.
          const height = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.setViewport({ width, height });
          await new Promise((resolve) => setTimeout(resolve, SETTLE));
        }
        const path = join(folder, `${slug}-${width}-${value}.png`);
        await page.screenshot({ path: /** @type {`${string}.png`} */ (path), fullPage: true });
        console.log(path);
      }
    }
  }
});
