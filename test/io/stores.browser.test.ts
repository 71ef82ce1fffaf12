import { afterEach, beforeAll, expect, test, vi } from "vitest";
import * as browser from "vitest/browser";
import type { Batch } from "../../src/data/index.ts";
import { download, indexedDbStore, opfsStore } from "../../src/io/index.ts";
import { DatabaseMedium } from "../../src/io/indexed-db-store.ts";
import { OpfsMedium } from "../../src/io/opfs-store.ts";
import type { Module } from "../../src/nn/index.ts";
import { Checkpoint, fit } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { bitsOf, smallRun } from "../support/small-run.ts";
import { testStore, whole } from "../support/store-cases.ts";

beforeAll(() => testDevice());

afterEach(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry("gradus-test", { recursive: true }).catch(() => {});
  await new Promise((resolve) => {
    indexedDB.deleteDatabase("gradus").onsuccess = resolve;
  });
});

testStore("opfsStore", {
  make: (name, options) =>
    opfsStore(typeof name === "string" && name ? `gradus-test/runs/${name}` : name, options),
  medium: (name) => new OpfsMedium(name, ["gradus-test", "runs", name]),
  damage: async (name, change) => {
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle("gradus-test")).getDirectoryHandle("runs");
    const handle = await folder.getFileHandle(name);
    const bytes = change(new Uint8Array(await (await handle.getFile()).arrayBuffer()));
    const stream = await handle.createWritable();
    await stream.write(bytes);
    await stream.close();
  },
});

testStore("indexedDbStore", {
  make: indexedDbStore,
  medium: (name) => new DatabaseMedium(name),
  damage: async (name, change) => {
    const request = indexedDB.open("gradus");
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    const files = request.result.transaction("files", "readwrite").objectStore("files");
    const range = IDBKeyRange.bound([name], [name, Number.POSITIVE_INFINITY]);
    await new Promise((resolve) => {
      files.openCursor(range, "prev").onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue>).result;
        cursor.update(change(cursor.value)).onsuccess = resolve;
      };
    });
    request.result.close();
  },
});

test("a path of the origin's own files is one of names", () => {
  for (const path of ["/a", "a/", "a//b", "../a", "."]) {
    expect(() => opfsStore(path)).toThrow(`opfsStore: path "${path}"; expected a name, or names`);
  }
});

test("a run goes on from the origin's own files", async () => {
  const to = opfsStore("gradus-test/checkpoint");
  const run = async (epochs: number) => {
    const parts = smallRun();
    const callbacks = [new Checkpoint({ to })];
    const { history } = await fit<Module, Batch>({
      ...parts,
      epochs,
      callbacks,
      resume: await to.read(),
    });
    return { bits: await bitsOf(parts), losses: history.map(({ loss }) => loss) };
  };
  await run(1);
  const resumed = await run(2);
  await to.write(new Uint8Array(0)); // as if nothing had been written
  expect(await to.read()).toBeNull();
  expect(await run(2)).toEqual(resumed);
});

test("bytes are offered for download under a name", async () => {
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    expect(this.download).toBe("weights.safetensors");
    expect(this.href).toMatch(/^blob:/);
  });
  download(Uint8Array.of(7), "weights.safetensors");
  expect(clicked).toHaveBeenCalledOnce();
  const [link] = clicked.mock.contexts;
  const response = await fetch((link as HTMLAnchorElement).href);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(7));
  clicked.mockRestore();
});

/** Lets the origin keep so many bytes, or as many as it may. */
async function allow(quotaSize?: number): Promise<void> {
  const { cdp } = browser as unknown as { cdp(): Session }; // a type that providers bring
  await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin, quotaSize });
}

interface Session {
  send(method: string, parameters: object): Promise<unknown>;
}

test("a write to the origin's files that finds no room leaves those before it, and the next goes on", async () => {
  const store = opfsStore("gradus-test/full");
  await expect(whenFull(() => store.write(whole(0, 4_000_000)))).rejects.toThrow(DOMException);
  expect(await namesOf("gradus-test")).toEqual([]);
  for (const n of [1, 2]) await store.write(whole(n));
  for (const bytes of [whole(3, 4_000_000), new Uint8Array(4_000_000)]) {
    await expect(whenFull(() => store.write(bytes))).rejects.toThrow(DOMException);
    expect(await store.read()).toEqual(whole(2));
  }
  expect(await namesOf("gradus-test")).toEqual(["full"]);
  await store.write(whole(4, 4_000_000));
  expect((await store.read())?.at(-1)).toBe(4);
});

test("what a killed browser left of a write goes with the next, and no other's does", async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("gradus-test", {
    create: true,
  });
  for (const name of ["file.crswap", "file.previous.crswap", "other.crswap"]) {
    await folder.getFileHandle(name, { create: true });
  }
  const living = await folder.getFileHandle("file.living", { create: true });
  const stream = await living.createWritable();
  await opfsStore("gradus-test/file").write(whole(1));
  const names = ["file", "file.living", "file.living.crswap", "other.crswap"];
  expect(await namesOf("gradus-test")).toEqual(names);
  await stream.write("still here");
  await stream.close();
  expect(await (await living.getFile()).text()).toBe("still here");
});

test("what was taken away of the origin's files is written anew, and takes nothing's place", async () => {
  const store = opfsStore("gradus-test/taken");
  for (const n of [1, 2]) await store.write(whole(n));
  const root = await navigator.storage.getDirectory();
  await (await root.getDirectoryHandle("gradus-test")).removeEntry("taken");
  expect(await store.read()).toBeNull();
  await store.write(whole(3));
  expect(await store.read()).toEqual(whole(3));
  expect(await opfsStore("gradus-test/taken.previous").read()).toEqual(whole(1));
});

async function namesOf(name: string): Promise<string[]> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(name);
  const names: string[] = [];
  for await (const key of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
    names.push(key);
  }
  return names.sort();
}

/** Does something while the origin may keep few bytes. */
async function whenFull(job: () => Promise<void>): Promise<void> {
  await allow(400_000);
  try {
    await job();
  } finally {
    await allow();
  }
}

// Chromium holds no database to the quota that tools set for an origin.
test.each<[string, typeof IDBObjectStore.prototype.put]>([
  [
    "at once",
    () => {
      throw new DOMException("no room", "QuotaExceededError");
    },
  ],
  [
    "later",
    function (this: IDBObjectStore, value, key) {
      this.add(value, key);
      return this.add(value, key); // fails, and with it the transaction
    },
  ],
])("a write to the database that fails %s takes nothing away", async (_, fail) => {
  const store = indexedDbStore("broken-off");
  for (const n of [1, 2]) await store.write(whole(n));
  const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(fail);
  for (const bytes of [whole(3), Uint8Array.of(7)]) {
    await expect(store.write(bytes)).rejects.toThrow(DOMException);
  }
  put.mockRestore();
  expect(await store.read()).toEqual(whole(2));
  await store.write(whole(4));
  expect(await store.read()).toEqual(whole(4));
});
