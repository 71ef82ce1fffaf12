import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { expect, test } from "vitest";
import { parseDoctorReport } from "../../doctor/report.ts";
import { expectSound, text, upload, useSite, waitForPhase } from "../support/site.ts";

const site = useSite();

/** Verdicts of the lines on the page, by how many there are. */
function verdicts(page: Page): Promise<string[]> {
  return page.$$eval("#results li", (items) =>
    items.map((item) => (item as HTMLElement).dataset.verdict ?? ""),
  );
}

test("a quick look finds nothing wrong, and its report is kept and compared", {
  timeout: 240_000,
}, async () => {
  const opened = await site.open("doctor/");
  const { page } = opened;
  await page.waitForSelector("#facts dd");
  expect(await text(page, "#gpu")).toMatch(/swiftshader.*: your processor plays the GPU/i);
  const folder = await mkdtemp(join(tmpdir(), "gradus-doctor-"));
  const session = await page.createCDPSession();
  await session.send("Page.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
  try {
    await page.click("#quick");
    await waitForPhase(page, "finished", 230_000);
    const found = await verdicts(page);
    const bad = '#results li:is([data-verdict="wrong"], [data-verdict="slow"])';
    expect(await page.$$eval(bad, (items) => items.map((item) => item.textContent))).toEqual([]);
    expect(found.length).toBeGreaterThan(25);
    expect(await text(page, "#status")).toMatch(
      new RegExp(`^${found.length} lines in \\d+\\.\\d s: \\d+ ok, 0 wrong, \\d+ not there\\.$`),
    );

    await page.click("#download");
    const path = join(folder, await waitForFile(folder));
    const report = parseDoctorReport(await readFile(path, "utf8"));
    expect(report.lines.map(({ verdict }) => verdict)).toEqual(found);

    const lines = report.lines.map((line) => {
      return line.figure === undefined ? line : { ...line, figure: line.figure * 2 };
    });
    await writeFile(path, JSON.stringify({ ...report, lines }));
    await upload(page, "earlier", path);
    await page.waitForSelector("#results .change");
    const changes = await page.$$eval(".change", (all) => all.map((one) => one.textContent));
    expect(new Set(changes)).toEqual(new Set(["0.500 × as good", "2.00 × as good"]));
    await upload(page, "earlier", "package.json");
    await page.waitForSelector("#failure:not([hidden])");
    expect(await text(page, "#failure")).toMatch(/^package\.json: doctor: the file has no format/);
    await page.click("#results summary");
    await expectSound(opened);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await page.close();
  }
});

/** The name of the file that comes into a folder. */
async function waitForFile(folder: string): Promise<string> {
  for (;;) {
    const [name] = (await readdir(folder)).filter((file) => file.endsWith(".json"));
    if (name) return name;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a look is stopped, on a narrow dark screen", async () => {
  const opened = await site.open("doctor/", { width: 390, dark: true });
  const { page } = opened;
  await page.waitForSelector("#facts dd");
  await page.click("#full");
  await page.waitForSelector("#results li");
  await page.click("#stop");
  await waitForPhase(page, "stopped", 30_000);
  expect(await text(page, "#status")).toMatch(/^\d+ lines in .* s, stopped: /);
  expect(await page.$eval("#quick", (x) => (x as HTMLButtonElement).disabled)).toBe(false);
  await expectSound(opened);
  await page.close();
});
