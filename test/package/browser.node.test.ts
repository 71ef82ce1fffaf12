import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findBrowser } from "../../tools/browser.mjs";

const folder = mkdtempSync(join(tmpdir(), "gradus-browser-"));
const fake = join(folder, "chromium");
writeFileSync(fake, "");
chmodSync(fake, 0o755);

test("a variable names the browser before anything installed", () => {
  expect(findBrowser({ GRADUS_BROWSER: fake, PATH: "" })).toBe(fake);
  expect(findBrowser({ CHROME_PATH: fake, PATH: "" })).toBe(fake);
});

test("a variable that names nothing is an error, not passed over", () => {
  expect(() => findBrowser({ GRADUS_BROWSER: "/nowhere/chromium", PATH: folder })).toThrow(
    "browser: GRADUS_BROWSER is /nowhere/chromium, which is not there; expected a browser's path",
  );
});

test("the first folder on the path that has one gives the browser", () => {
  expect(findBrowser({ PATH: `/nowhere:${folder}` })).toBe(fake);
});
