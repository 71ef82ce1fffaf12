import type { Bytes } from "../core/bytes.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { type Fate, GenerationStore, type Medium } from "./generations.ts";
import type { Store, StoreOptions } from "./stores.ts";

/**
 * Keeps bytes in the browser's own file system for the page's origin, which needs no permission and
 * outlasts the page. What was written before lies beside it, as `path.previous`, and is read where
 * the file is broken. Source: the File System standard, whose writable streams replace a file's
 * content when they are closed.
 * @param path a name, or several with `/` between, whose folders are made when it is written.
 * @throws GradusError for another path, or where there is no such file system; what the file system
 * throws, when it is read or written.
 * @example await opfsStore("mnist.safetensors").write(await saveSafetensors(model));
 */
export function opfsStore(path: string, options: StoreOptions = {}): Store {
  const names = typeof path === "string" ? path.split("/") : [];
  if (names.length === 0 || names.some((name) => ["", ".", ".."].includes(name))) {
    throw new GradusError(
      `opfsStore: path ${quote(path)}; expected a name, or names with / between`,
    );
  }
  return new GenerationStore("opfsStore", path, new OpfsMedium(path, names), options);
}

/** How often a file is read anew that others replace meanwhile. */
const READS = 20;

/** The file of a path in the origin's own file system, and that of what was written before. */
export class OpfsMedium implements Medium {
  constructor(
    readonly path: string,
    readonly names: readonly string[],
  ) {}

  place(): string {
    return `opfs ${this.path}`;
  }

  read(generation: "newest" | "older"): Promise<Bytes | null> {
    return this.#inTurn("shared", () => this.#read(generation));
  }

  write(bytes: Bytes, older: Fate): Promise<boolean> {
    return this.#inTurn("exclusive", () => this.#write(bytes, older));
  }

  /** Does something while no other page or worker of the origin writes to the place. */
  #inTurn<T>(mode: LockMode, job: () => Promise<T>): Promise<T> {
    const locks = globalThis.navigator?.locks as LockManager | undefined; // older browsers have none
    const lock = `gradus ${this.place()}`;
    return locks ? (locks.request(lock, { mode }, job) as Promise<T>) : job();
  }

  async #read(generation: "newest" | "older", tries = READS): Promise<Bytes | null> {
    try {
      const folder = await this.#folder(false);
      const file = await folder.getFileHandle(this.#name(generation), { create: false });
      return new Uint8Array(await (await file.getFile()).arrayBuffer());
    } catch (error) {
      if (isCalled(error, "NotFoundError")) return null;
      // The file was replaced after it was found, by other code than this.
      if (!isCalled(error, "NotReadableError") || tries === 1) throw error;
      return this.#read(generation, tries - 1);
    }
  }

  async #write(bytes: Bytes, older: Fate): Promise<boolean> {
    if (older === "none" && (await this.#read("newest")) !== null) return false;
    const folder = await this.#folder(true);
    const [newest, previous] = [this.#name("newest"), this.#name("older")];
    await sweepSwaps(folder, newest);
    if (older === "replace") {
      const file = await (await folder.getFileHandle(newest, { create: true })).getFile();
      if (file.size > 0) await replace(folder, previous, file); // else it was taken away
    }
    if (older === "drop") await remove(folder, previous);
    await replace(folder, newest, bytes);
    return true;
  }

  #name(generation: "newest" | "older"): string {
    const name = this.names[this.names.length - 1];
    return generation === "newest" ? name : `${name}.previous`;
  }

  async #folder(create: boolean): Promise<FileSystemDirectoryHandle> {
    let folder = await root();
    for (const name of this.names.slice(0, -1)) {
      folder = await folder.getDirectoryHandle(name, { create });
    }
    return folder;
  }
}

async function root(): Promise<FileSystemDirectoryHandle> {
  const storage = globalThis.navigator?.storage as Partial<StorageManager> | undefined;
  if (storage?.getDirectory) return storage.getDirectory();
  throw new GradusError(
    "opfsStore: no navigator.storage.getDirectory; expected a browser and a page from https or " +
      "localhost. Use indexedDbStore there, fileStore in Node",
  );
}

/** Removes what writes left that ended with their browser; what is being written cannot be removed. */
async function sweepSwaps(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  const names: string[] = [];
  for await (const other of folder.keys()) {
    if (other.startsWith(`${name}.`) && other.endsWith(SWAP)) names.push(other);
  }
  for (const left of names) await folder.removeEntry(left).catch(() => {});
}

/** How Chromium ends the name of a file that becomes the content of another when it is closed. */
const SWAP = ".crswap";

/** Replaces a file's content when all of the new one is there. */
async function replace(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Bytes | File,
): Promise<void> {
  const file = await folder.getFileHandle(name, { create: true });
  if (!("createWritable" in file)) {
    throw new GradusError(
      "opfsStore: files without createWritable; expected a newer browser. Use indexedDbStore here",
    );
  }
  const stream = await file.createWritable();
  try {
    await stream.write(content);
    await stream.close();
  } catch (error) {
    // The first error is the one to tell; a file that was made for this write goes.
    await stream.abort().catch(() => {});
    if ((await file.getFile()).size === 0) await remove(folder, name).catch(() => {});
    throw error;
  }
}

async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await folder.removeEntry(name);
  } catch (error) {
    if (!isCalled(error, "NotFoundError")) throw error;
  }
}

function isCalled(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}
