import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SIZE_LIMIT } from "../scripts/size.mjs";
import { PackedApp } from "./support/packed-app.ts";

const root = join(import.meta.dirname, "..");
let app: PackedApp;

beforeAll(() => {
  execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "pipe" });
  app = new PackedApp(join(root, "test/fixtures/package-app"));
}, 120_000);
afterAll(() => app?.[Symbol.dispose]());

test("installing the package brings one parser and nothing else", () => {
  expect(app.installed()).toEqual(["csv-parse", "gradus"]);
});

test("an app compiles strictly against the package's types", () => {
  const strict = ["--strict", "--module", "ESNext", "--moduleResolution", "Bundler"];
  const target = ["--target", "ES2022", "--lib", "ES2022,ESNext.Disposable,DOM"];
  const types = ["--types", "", "--skipLibCheck", "false"];
  expect(app.checkTypes([...strict, ...target, ...types, "main.ts"])).toBe("");
});

test("every entry loads in Node", () => {
  const folders = ["nn", "losses", "metrics", "optim", "data", "csv", "train", "io"];
  const entries = ["gradus", ...folders.map((folder) => `gradus/${folder}`)];
  const script = `for (const entry of ${JSON.stringify(entries)}) {
    const names = Object.keys(await import(entry));
    if (names.length === 0) throw new Error(entry + " exports nothing");
  }
  console.log("loaded");`;
  writeFileSync(join(app.folder, "load.mjs"), script);
  expect(app.runInNode("load.mjs")).toBe("loaded\n");
});

test("an app with the installed package trains in the browser and stays small", async () => {
  await app.build();
  const { outcome, errors, scripts } = await app.open();
  expect(errors).toEqual([]);
  expect(scripts.length).toBeGreaterThan(0);
  expect(app.size(scripts)).toBeLessThanOrEqual(SIZE_LIMIT);
  const { device, losses } = outcome as { device: string; losses: number[] };
  expect(device).toBe("webgpu");
  expect(losses[0]).toBeGreaterThan(0.6);
  expect(losses.at(-1)).toBeLessThan(0.3);
}, 120_000);
