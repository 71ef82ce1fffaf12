import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { type Fate, GenerationStore, type Medium } from "./generations.ts";
import type { Store, StoreOptions } from "./stores.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** After so many milliseconds a part that no one finished is taken for one that a crash left. */
const STALE = 3_600_000;

/**
 * Keeps bytes in a regular file, in Node; folders that lack are made when it is written, symbolic
 * links are followed. What was written before lies beside it, as `path.previous`, and is read where
 * the file is broken. Files and folders are synced, so that what was written outlasts a power cut.
 * @throws GradusError for what is no regular file; what the file system throws, when it is read or
 * written.
 * @example await fileStore("runs/mnist.safetensors").write(await saveSafetensors(model));
 */
export function fileStore(path: string, options: StoreOptions = {}): Store {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new GradusError(`fileStore: path ${quote(path)}; expected the name of a file`);
  }
  return new GenerationStore("fileStore", path, new FileMedium(path), options);
}

/** Loaded where files are used, since browsers have no such modules. */
async function node() {
  const [fs, path] = await Promise.all([import("node:fs/promises"), import("node:path")]);
  return { ...fs, ...path };
}

class FileMedium implements Medium {
  #hasSwept = false;

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

  async write(bytes: Bytes, older: Fate): Promise<void> {
    const { mkdir, rename, rm, dirname } = await node();
    const path = await this.place();
    const folder = dirname(path);
    const firstMade = await mkdir(folder, { recursive: true });
    const mode = await modeOf(path);
    await this.#sweep(path);
    const part = partOf(path);
    try {
      await writeNew(part, bytes, mode);
      if (older === "replace") await keepAs(previousOf(path), path);
      if (older === "drop") await rm(previousOf(path), { force: true });
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true }).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    await syncFolders(folder, firstMade);
  }

  /** Removes parts of writes that a crash cut off, once. */
  async #sweep(path: string): Promise<void> {
    if (this.#hasSwept) return;
    this.#hasSwept = true;
    const { readdir, stat, rm, dirname, basename, join } = await node();
    const folder = dirname(path);
    for (const name of await readdir(folder)) {
      if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(".part")) continue;
      const part = join(folder, name);
      const { mtimeMs } = await stat(part).catch(() => ({ mtimeMs: Number.NaN }));
      if (Date.now() - mtimeMs > STALE) await rm(part, { force: true });
    }
  }
}

function previousOf(path: string): string {
  return `${path}.previous`;
}

/** A name that no other write has, in this process or another. */
function partOf(path: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 13)}.part`;
}

async function followed(path: string): Promise<string> {
  const { realpath, readlink, resolve, dirname } = await node();
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  const target = await readlink(path).catch(() => null); // a link to nothing, or nothing
  return target === null ? resolve(path) : followed(resolve(folder, target));
}

/** A file's permissions; null where there is none. */
async function modeOf(path: string): Promise<number | null> {
  const { stat } = await node();
  try {
    const found = await stat(path);
    if (found.isFile()) return found.mode;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  throw new GradusError(
    `fileStore: ${quote(path)} is no regular file; expected one, or a new name`,
  );
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
  const part = partOf(name);
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

/** Syncs a folder, and those around it up to where the first was made. */
async function syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
  const { dirname } = await node();
  const last = firstMade === undefined ? folder : dirname(firstMade);
  await syncFolder(folder);
  if (folder !== last && folder !== dirname(folder)) await syncFolders(dirname(folder), firstMade);
}

/** What systems say that cannot sync folders. */
const UNABLE = ["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP", "EBADF"];

async function syncFolder(path: string): Promise<void> {
  try {
    await sync(path);
  } catch (error) {
    if (!UNABLE.includes(codeOf(error))) throw error;
  }
}

async function sync(path: string): Promise<void> {
  const { open } = await node();
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

function codeOf(error: unknown): string {
  return String((error as { code?: string }).code);
}
