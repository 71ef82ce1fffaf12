import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { VERSION } from "../../src/core/copies.ts";
import { machineOf, type TuningStore, Tunings } from "../../src/devices/webgpu/tunings.ts";
import { exportTuning, importTuning } from "../../src/webgpu/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gradus-tuning-"));
  vi.stubEnv("XDG_CACHE_HOME", folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const data = { version: VERSION, machines: { "a GPU | Node": { "a product": "64 × 64" } } };

test("what is imported is exported, and kept in the user's folder of what can be had again", async () => {
  await importTuning(data);
  expect(await exportTuning()).toEqual(data);
  const place = join(folder, "gradus", "tuning");
  expect(await readdir(place)).toEqual(["tuning.json"]);
  expect(JSON.parse(await readFile(join(place, "tuning.json"), "utf8"))).toEqual(data);
  // Another process has kept something meanwhile; what is imported is newer than what was known.
  const other = { "another GPU": { sum: "256" }, "a GPU | Node": { "a product": "8 × 8" } };
  await writeFile(
    join(place, "tuning.json"),
    JSON.stringify({ version: VERSION, machines: other }),
  );
  const machines = { "a GPU | Node": { "a product": "128 × 128" } };
  await importTuning({ version: VERSION, machines });
  expect((await exportTuning()).machines).toEqual({ ...other, ...machines });
  expect(JSON.parse(JSON.stringify(await exportTuning()))).toEqual(await exportTuning());
});

const FORM = "expected what exportTuning gave";

test.each<[unknown, string]>([
  [undefined, `importTuning: data undefined; ${FORM}`],
  [{}, `importTuning: data an object; ${FORM}`],
  [{ version: VERSION }, FORM],
  [{ version: VERSION, machines: { a: { b: 3 } } }, FORM],
  [{ version: VERSION, machines: { a: null } }, FORM],
  [{ version: 3, machines: {} }, FORM],
  [
    { version: "0.0.1", machines: {} },
    `importTuning: data of version 0.0.1; expected ${VERSION}, whose kernels are known. Tune again`,
  ],
])("%j is refused, and nothing is changed", async (wrong, message) => {
  const before = await exportTuning();
  await expect(importTuning(wrong as never)).rejects.toThrow(message);
  expect(await exportTuning()).toEqual(before);
});

test("surplus arguments are refused", async () => {
  await expect(exportTuning(3 as never)).rejects.toThrow("exportTuning: 3 too much");
  await expect(importTuning(data, 3 as never)).rejects.toThrow("importTuning: 3 too much");
});

test.each<[string, () => TuningStore | null]>([
  ["nothing was kept", () => ({ read: async () => null, write: async () => {} })],
  ["nothing can be kept", () => null],
  [
    "the place cannot be opened",
    () => {
      throw new Error("denied");
    },
  ],
  ["it is no JSON", () => kept("{")],
  ["it is of another version", () => kept(JSON.stringify({ ...data, version: "0.0.1" }))],
])("nothing is known where %s", async (_, open) => {
  const tunings = new Tunings(open);
  await tunings.read();
  expect(tunings.data.machines).toEqual({});
});

function kept(text: string): TuningStore {
  return { read: async () => new TextEncoder().encode(text), write: async () => {} };
}

test("changes count what is new", () => {
  const tunings = new Tunings(() => null);
  tunings.set("a", "b", "c");
  tunings.set("a", "b", "c");
  expect(tunings.changes).toBe(1);
  tunings.set("a", "b", "d");
  expect(tunings.changes).toBe(2);
  expect(tunings.get("a", "b")).toBe("d");
  expect(tunings.get("b", "b")).toBeUndefined();
});

test("a machine is an adapter and what drives it", () => {
  expect(machineOf("some GPU")).toBe(`some GPU | Node ${process.version} ${process.platform}`);
});
