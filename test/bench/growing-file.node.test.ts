import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GrowingFile } from "../../bench/node/growing-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gradus-growing-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a report is on the disk while it grows, and the last one at the end", async () => {
  const path = join(folder, "report.json");
  const file = new GrowingFile<{ lines: number[] }>(() => path);
  const read = async () => JSON.parse(await readFile(path, "utf8"));
  file.grow({ lines: [1] });
  await expect.poll(() => read().catch(() => null)).toEqual({ lines: [1] });
  for (let n = 2; n < 50; n++) file.grow({ lines: [n] });
  expect(await file.end({ lines: [50] })).toBe(path);
  expect(await read()).toEqual({ lines: [50] });
});

test("what cannot be written is told at the end; nothing is where no file is wanted", async () => {
  const occupied = join(folder, "occupied");
  await writeFile(occupied, "");
  const file = new GrowingFile<object>(() => join(occupied, "report.json"));
  file.grow({});
  await expect(file.end({})).rejects.toThrow(/report\.json: ENOTDIR/);
  expect(await new GrowingFile<object>(null).end({})).toBeNull();
});
