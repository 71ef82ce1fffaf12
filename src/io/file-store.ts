import type { Bytes } from "../core/bytes.ts";
import { checkCounts } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { partOf, sweep } from "./file-parts.ts";
import {
  errorCodeOf,
  followed,
  isMissing,
  makeFolder,
  modeOf,
  node,
  removeEmpty,
  sync,
  syncFolders,
  writableMode,
} from "./file-system.ts";
import { type Fate, GenerationStore, type Medium } from "./generations.ts";
import type { FileStore, StoreOptions } from "./stores.ts";

/** How often a write is begun from which others take something away. */
const TRIES = 5;

/**
 * Keeps bytes in a regular file, in Node; folders that lack are made when it is written, symbolic
 * links are followed. What was written before lies beside it, as `path.previous`, and is read where
 * the file is broken. Files and folders are synced, so that what was written outlasts a power cut.
 * What a process that was killed left half-written, `path.*.part`, goes with the next write.
 * @throws GradusError for what is no regular file; what the file system throws, when it is read or
 * written.
 * @example await fileStore("runs/mnist.safetensors").write(await saveSafetensors(model));
 */
export function fileStore(path: string, options: StoreOptions = {}): FileStore {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new GradusError(`fileStore: path ${quote(path)}; expected the name of a file`);
  }
  const medium = new FileMedium(path);
  const store = new GenerationStore("fileStore", path, medium, options);
  return Object.assign(store, {
    async probe(bytes = 1): Promise<void> {
      checkCounts("fileStore", { bytes });
      await medium.probe(bytes);
    },
  });
}

/** The file of a path, and that of what was written before. */
export class FileMedium implements Medium {
  constructor(readonly path: string) {}

  /** The path of the file itself, behind symbolic links. */
  async place(): Promise<string> {
    return followed(this.path);
  }

  async read(generation: "newest" | "older"): Promise<Bytes | null> {
    const { readFile } = await node();
    const path = await this.place();
    const from = generation === "newest" ? path : previousOf(path);
    if ((await modeOf(from)) === null) return null;
    try {
      return new Uint8Array(await readFile(from));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  write(bytes: Bytes, older: Fate): Promise<boolean> {
    return persistently(() => this.#write(bytes, older));
  }

  async #write(bytes: Bytes, older: Fate): Promise<boolean> {
    const { link, rename, rm, dirname } = await node();
    const path = await this.place();
    const folder = dirname(path);
    const firstMade = await makeFolder(folder);
    const mode = await writableMode(path);
    await sweep(path);
    const part = await partOf(path);
    try {
      await writeNew(part, bytes, mode);
      if (older === "replace" && mode !== null) await keepAs(previousOf(path), path);
      if (older === "drop") await rm(previousOf(path), { force: true });
      if (older === "none") {
        // A link, unlike a name that is moved, takes no other's place; not every file system has them.
        const code = await link(part, path).catch(errorCodeOf);
        if (code === "EEXIST") {
          await rm(part);
          return false;
        }
        if (code !== undefined) await rename(part, path);
      } else {
        await rename(part, path);
      }
      await rm(part, { force: true }); // is still there where both are names of one file
    } catch (error) {
      await rm(part, { force: true }).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    await syncFolders(folder, firstMade);
    return true;
  }

  probe(size: number): Promise<void> {
    return persistently(() => this.#probe(size));
  }

  async #probe(size: number): Promise<void> {
    const { rm, dirname } = await node();
    const path = await this.place();
    const firstMade = await makeFolder(dirname(path));
    try {
      await writableMode(path);
      const part = await partOf(path);
      try {
        await writeNew(part, noise(size), null);
      } finally {
        await rm(part, { force: true });
      }
    } finally {
      if (firstMade !== undefined) await removeEmpty(dirname(path), firstMade);
    }
  }
}

/** Does something anew where someone took a file or a folder of it away meanwhile. */
async function persistently<T>(job: () => Promise<T>): Promise<T> {
  for (let tries = TRIES; ; tries--) {
    try {
      return await job();
    } catch (error) {
      if (!isMissing(error) || tries === 1) throw error;
    }
  }
}

function previousOf(path: string): string {
  return `${path}.previous`;
}

async function writeNew(path: string, bytes: Bytes, mode: number | null): Promise<void> {
  const { open } = await node();
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    if (mode !== null) await file.chmod(mode & 0o7777);
    await file.sync(); // before the name is moved: a crash must not leave an empty file
  } finally {
    await file.close();
  }
}

/** Gives a file's content another name too, in one step. */
async function keepAs(name: string, path: string): Promise<void> {
  const { link, rename, rm } = await node();
  const part = await partOf(name);
  try {
    await link(path, part).catch(() => copy(path, part)); // not every file system has links
    await rename(part, name);
  } finally {
    await rm(part, { force: true }); // is still there where both were names of one file already
  }
}

async function copy(from: string, to: string): Promise<void> {
  const { copyFile } = await node();
  await copyFile(from, to);
  await sync(to);
}

/** Bytes that no file system stores in less room. */
function noise(size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += MOST_RANDOM) {
    crypto.getRandomValues(bytes.subarray(i, i + MOST_RANDOM));
  }
  return bytes;
}

/** As many bytes as `getRandomValues` gives at once. */
const MOST_RANDOM = 65_536;
