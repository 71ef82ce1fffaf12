import type { Bytes } from "../core/bytes.ts";
import { readIfThere } from "../core/node-files.ts";
import { nodeModule } from "../core/node-module.ts";

/** Keeps files by name. */
export interface FileCache {
  /** Gives what was kept; null for nothing. */
  read(name: string): Promise<Bytes | null>;
  write(name: string, bytes: Bytes): Promise<void>;
}

/** What is used of Node's files. */
interface NodeFileSystem {
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

/** The name of a page's cache where none is given. */
const CACHE = "gradus-datasets";

/** In a cache files have addresses; nothing answers at this one. */
const ADDRESS = "https://datasets.invalid/";

/** The cache of a place that is called by a name, or by none; null where nothing can be kept. */
export function fileCache(name: string | undefined): FileCache | null {
  const files = nodeModule<NodeFileSystem>("fs/promises");
  if (files) return folderCache(files, name ?? cacheFolder("datasets"));
  return typeof caches === "undefined" ? null : pageCache(name ?? CACHE);
}

function pageCache(name: string): FileCache {
  return {
    async read(file) {
      const cache = await caches.open(name);
      const found = await cache.match(ADDRESS + file);
      return found ? new Uint8Array(await found.arrayBuffer()) : null;
    },
    async write(file, bytes) {
      const cache = await caches.open(name);
      await cache.put(ADDRESS + file, new Response(bytes));
    },
  };
}

function folderCache(files: NodeFileSystem, folder: string): FileCache {
  const path = nodeModule<{ join(...parts: string[]): string; dirname(path: string): string }>(
    "path",
  );
  const placeOf = (file: string) => path?.join(folder, file) as string;
  return {
    read: (file) => readIfThere(placeOf(file)),
    async write(file, bytes) {
      const place = placeOf(file);
      await files.mkdir(path?.dirname(place) as string, { recursive: true });
      // Moved in one step, so that nobody reads half of it.
      const part = `${place}.${crypto.randomUUID()}.part`;
      try {
        await files.writeFile(part, bytes);
        await files.rename(part, place);
      } finally {
        await files.rm(part, { force: true });
      }
    },
  };
}

/** The library's folder `name` where systems have a user's files that can be had again. */
export function cacheFolder(name: string): string {
  const path = nodeModule<{ join(...parts: string[]): string }>("path");
  const os = nodeModule<{ homedir(): string }>("os");
  const env = nodeModule<{ env: Record<string, string | undefined> }>("process")?.env;
  const home =
    env?.XDG_CACHE_HOME || env?.LOCALAPPDATA || path?.join(os?.homedir() ?? "", ".cache");
  return path?.join(home as string, "gradus", name) as string;
}
