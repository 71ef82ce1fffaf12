import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";

/** Node's modules, loaded where files are used, since browsers have none of them. */
export async function node() {
  const modules = [
    import("node:fs/promises"),
    import("node:path"),
    import("node:os"),
    import("node:crypto"),
  ] as const;
  const [fs, path, { hostname }, { createHash }] = await Promise.all(modules);
  return { ...fs, ...path, hostname, createHash };
}

/** The path of a file behind symbolic links, whether it is there or not. */
export async function followed(path: string): Promise<string> {
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

/** Makes a folder and those around it that lack, and gives the first that it made. */
export async function makeFolder(folder: string): Promise<string | undefined> {
  const { mkdir, dirname } = await node();
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    if (!isMissing(error) || dirname(folder) === folder) throw error;
    // What stops it, such as EROFS, is told only where one folder is asked for.
    const first = await makeFolder(dirname(folder));
    try {
      await mkdir(folder);
    } catch (again) {
      if (errorCodeOf(again) !== "EEXIST") throw again; // another has made it
      return first;
    }
    return first ?? folder;
  }
}

/** A file's permissions; null where there is none. */
export async function modeOf(path: string): Promise<number | null> {
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

/** A file's permissions, if it may be written; null where there is none. */
export async function writableMode(path: string): Promise<number | null> {
  const { access, constants } = await node();
  const mode = await modeOf(path);
  if (mode !== null) await access(path, constants.W_OK); // a name can be moved over it all the same
  return mode;
}

/** Removes empty folders, up to the first that was made. */
export async function removeEmpty(folder: string, firstMade: string): Promise<void> {
  const { rmdir, dirname } = await node();
  try {
    await rmdir(folder);
  } catch {
    return; // another writes into it
  }
  if (folder !== firstMade) await removeEmpty(dirname(folder), firstMade);
}

/** Syncs a folder, and those around it up to where the first was made. */
export async function syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
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
    if (!UNABLE.includes(errorCodeOf(error))) throw error;
  }
}

export async function sync(path: string): Promise<void> {
  const { open } = await node();
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export function isMissing(error: unknown): boolean {
  return errorCodeOf(error) === "ENOENT";
}

export function errorCodeOf(error: unknown): string {
  return String((error as { code?: string }).code);
}
