import type { Bytes } from "../core/bytes.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { type Fate, GenerationStore, type Medium } from "./generations.ts";
import type { Store, StoreOptions } from "./stores.ts";

/** The database of all such stores of an origin. */
const DATABASE = "gradus";

/** Its one table: bytes under `[name, generation]`, the newest under the highest number. */
const FILES = "files";

/**
 * Keeps bytes in the page's IndexedDB, which every browser and worker has and which outlasts the
 * page. What was written before stays too and is read where the newest is broken.
 * @param name any text; each has a content of its own in the origin's database `gradus`.
 * @throws GradusError for another name, or where there is no IndexedDB; what the database throws,
 * such as a `QuotaExceededError`, when it is read or written.
 * @example await indexedDbStore("mnist").write(await saveSafetensors(model));
 */
export function indexedDbStore(name: string, options: StoreOptions = {}): Store {
  if (typeof name !== "string" || name === "") {
    throw new GradusError(`indexedDbStore: name ${quote(name)}; expected a text`);
  }
  return new GenerationStore("indexedDbStore", name, new DatabaseMedium(name), options);
}

/** What the database has under a name. */
export class DatabaseMedium implements Medium {
  constructor(readonly name: string) {}

  place(): string {
    return `indexedDB ${this.name}`;
  }

  async read(generation: "newest" | "older"): Promise<Bytes | null> {
    return transact("readonly", async (files) => {
      const keys = await this.#keys(files);
      const key = keys.at(generation === "newest" ? -1 : -2);
      return key === undefined ? null : ((await settled(files.get(key))) as Bytes);
    });
  }

  async write(bytes: Bytes, older: Fate): Promise<boolean> {
    // A view is stored with all of its buffer, so a part is copied out of it.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    return transact("readwrite", async (files) => {
      const keys = await this.#keys(files);
      if (older === "none" && keys.length > 0) return false;
      const kept = older === "replace" ? keys.at(-1) : older === "keep" ? keys.at(-2) : undefined;
      for (const key of keys) if (key !== kept) files.delete(key);
      const generation = (keys.at(-1)?.[1] ?? 0) + 1;
      await settled(files.put(own, [this.name, generation]));
      return true;
    });
  }

  async #keys(files: IDBObjectStore): Promise<[string, number][]> {
    const range = IDBKeyRange.bound([this.name], [this.name, Number.POSITIVE_INFINITY]);
    return (await settled(files.getAllKeys(range))) as [string, number][];
  }
}

/** Does something with the table in a transaction, and waits until its changes are on the disk. */
async function transact<T>(
  mode: IDBTransactionMode,
  job: (files: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(FILES, mode, { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    done.catch(() => {}); // told below, unless the job fails first
    const result = await job(transaction.objectStore(FILES)).catch((error: unknown) => {
      abort(transaction); // else what the job has done by then would stay done
      throw error;
    });
    await done;
    return result;
  } finally {
    database.close();
  }
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // A request that failed has done it.
  }
}

async function open(): Promise<IDBDatabase> {
  if (!("indexedDB" in globalThis)) {
    throw new GradusError(
      "indexedDbStore: no indexedDB; expected a browser. Use fileStore in Node",
    );
  }
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(FILES);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
