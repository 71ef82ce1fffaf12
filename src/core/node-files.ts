import type { Bytes } from "./bytes.ts";
import { nodeModule } from "./node-module.ts";

/** Reads a file in Node; null where there is none. */
export async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    const files = nodeModule<{ readFile(path: string): Promise<Uint8Array> }>("fs/promises");
    return files ? new Uint8Array(await files.readFile(path)) : null;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

/** The path of a place that is a file in Node; null for addresses, and in a page. */
export function pathOf(place: string): string | null {
  const url = nodeModule<{ fileURLToPath(url: string): string }>("url");
  if (!url) return null;
  if (/^file:/i.test(place)) return url.fileURLToPath(place);
  return /^[a-z][a-z\d+.-]+:/i.test(place) ? null : place;
}
