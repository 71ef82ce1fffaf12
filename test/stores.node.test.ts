import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileStore } from "../src/io/index.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-stores-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file is replaced as a whole, in folders that it makes", async () => {
  const store = fileStore(join(folder, "runs/one/checkpoint"));
  expect(await store.read()).toBeNull();
  await store.write(Uint8Array.of(1, 2, 3));
  await store.write(new Uint8Array(0));
  expect(await store.read()).toEqual(new Uint8Array(0));
  await store.write(Uint8Array.of(4));
  expect(await store.read()).toEqual(Uint8Array.of(4));
  expect(readdirSync(join(folder, "runs/one"))).toEqual(["checkpoint"]);
});

test("what cannot be read or written is told", async () => {
  await expect(fileStore(folder).read()).rejects.toThrow("EISDIR");
  const blocked = fileStore(join(folder, "runs"));
  await expect(blocked.write(Uint8Array.of(1))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
});
