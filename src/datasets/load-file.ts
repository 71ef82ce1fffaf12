import { asBytes, type Bytes } from "../core/bytes.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import { isPlainObject, kindOf } from "../core/kind.ts";
import { pathOf, readIfThere } from "../core/node-files.ts";
import { passBytes, readBytes } from "../core/packed.ts";
import { list, shorten } from "../core/quote.ts";
import { fileCache } from "./cache.ts";
import type { DatasetOptions, FileContent } from "./options.ts";

/** A file as it is published. */
export interface PublishedFile {
  readonly name: string;
  /** How long it is. */
  readonly bytes: number;
  /** Its SHA-256, in hexadecimal. */
  readonly sha256: string;
  /** The SHA-256 of what is packed in it, where that is known. */
  readonly unpacked?: string;
}

/** A data set as it is published. */
export interface PublishedSet {
  /** The folder in which its files are kept. */
  readonly folder: string;
  /** Addresses at which its files lie, tried in order. */
  readonly sources: readonly string[];
}

const GZIP = /\.gz$/;

/** The most characters of an address in a message. */
const LONGEST = 300;

/**
 * Gives the content of a published file, unpacked: what was kept of it, or what is found where it lies.
 * Throws a `GradusError`, as `op`, where it is nowhere to be had or is not what was published.
 */
export async function loadFile(
  op: string,
  set: PublishedSet,
  file: PublishedFile,
  options: DatasetOptions,
): Promise<Bytes> {
  const { from, checksum = true, cache = true, onProgress } = options;
  stopIfAsked(op, options);
  const check = checksum ? (bytes: Bytes) => difference(op, file, bytes) : async () => null;
  if (from !== undefined && isPlainObject(from)) return givenFile(op, file, from, check);
  const key = `${set.folder}/${file.name}`;
  const isNear = from !== undefined && pathOf(String(from)) !== null; // a folder of one's own needs no copy
  const isKept = cache !== false && checksum && !isNear;
  const keeper = isKept ? fileCache(cache === true ? undefined : cache) : null;
  const kept = await attempt(op, file, async () => (await keeper?.read(key)) ?? null);
  if (kept && (await check(kept)) === null) {
    onProgress?.({ file: file.name, loaded: kept.length, total: kept.length });
    return unpacked(op, file, kept);
  }
  const failures: string[] = [];
  for (const place of placesOf(set, file, from)) {
    stopIfAsked(op, options);
    try {
      const bytes = await read(place, file, options);
      const wrong = bytes ? await check(bytes) : "nothing there";
      if (bytes && wrong === null) {
        if (keeper) await attempt(op, file, () => keeper.write(key, bytes));
        return await unpacked(op, file, bytes);
      }
      failures.push(`${shorten(place, LONGEST)} (${wrong})`);
    } catch (error) {
      stopIfAsked(op, options);
      if (error instanceof GradusError) throw error;
      failures.push(`${shorten(place, LONGEST)} (${shorten(reasonOf(error))})`);
    }
  }
  throw new GradusError(
    `${op}: ${file.name} from ${failures.join(", ")}; expected the published file. Give from: an address ` +
      "or a folder with it, or the files by name",
  );
}

/** Why something failed, with what lies behind it: `fetch` itself tells no more than that it did. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message;
}

/** Throws where a signal says that the loading is to stop. */
function stopIfAsked(op: string, { signal }: DatasetOptions): void {
  if (!signal?.aborted) return;
  const { reason: cause } = signal;
  throw new GradusError(`${op}: stopped by its signal; expected to run to the end`, { cause });
}

/** What a cache does; where it cannot, the file is had without it. */
async function attempt<T>(
  op: string,
  file: PublishedFile,
  use: () => Promise<T>,
): Promise<T | null> {
  try {
    return await use();
  } catch (error) {
    const { message } = error as Error;
    console.warn(`gradus: ${op}: ${file.name} could not be kept: ${shorten(message)}`);
    return null;
  }
}

async function givenFile(
  op: string,
  file: PublishedFile,
  from: Readonly<Record<string, FileContent>>,
  check: (bytes: Bytes) => Promise<string | null>,
): Promise<Bytes> {
  const name = [file.name, bareName(file)].find((key) => Object.hasOwn(from, key));
  if (name === undefined) {
    throw new GradusError(
      `${op}: files ${list(Object.keys(from)) || "of no name"}; expected ${file.name} among them`,
    );
  }
  const content = from[name];
  const isBlob = ["Blob", "File"].includes(kindOf(content));
  const whole = isBlob ? await (content as Blob).arrayBuffer() : (content as ArrayBuffer);
  const bytes = asBytes(`${op}: ${name}`, whole) as Bytes;
  const wrong = await check(bytes);
  if (wrong === null) return unpacked(op, file, bytes);
  throw new GradusError(`${op}: ${name} with ${wrong}; expected the published file`);
}

function bareName({ name }: PublishedFile): string {
  return name.replace(GZIP, "");
}

/** Where a file may lie; in a place of one's own unpacked too. */
function placesOf(
  set: PublishedSet,
  file: PublishedFile,
  from: string | URL | undefined,
): readonly string[] {
  if (from === undefined) return set.sources.map((source) => source + file.name);
  const folder = String(from);
  const base = /[\\/]$/.test(folder) ? folder : `${folder}/`;
  return [...new Set([file.name, bareName(file)])].map((name) => base + name);
}

async function read(
  place: string,
  file: PublishedFile,
  { signal, onProgress, checksum = true }: DatasetOptions,
): Promise<Bytes | null> {
  const path = pathOf(place);
  if (path !== null) {
    const bytes = await readIfThere(path);
    if (bytes) onProgress?.({ file: file.name, loaded: bytes.length, total: bytes.length });
    return bytes;
  }
  const response = await fetch(place, { signal });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  const told = Number(response.headers.get("content-length"));
  const isWhole = told > 0 && response.headers.get("content-encoding") === null;
  const total = isWhole ? told : checksum ? file.bytes : null;
  const onPart = (loaded: number) => onProgress?.({ file: file.name, loaded, total });
  return readBytes(response.body, Number.POSITIVE_INFINITY, onPart);
}

/** What bytes are in place of the published file; null where they are this. */
async function difference(op: string, file: PublishedFile, bytes: Bytes): Promise<string | null> {
  const isPacked = GZIP.test(file.name);
  const wasUnpacked = isPacked && !isGzip(bytes);
  if (wasUnpacked && file.unpacked === undefined) {
    return "no gzip file, and only that has a published checksum";
  }
  const expected = wasUnpacked ? file.unpacked : file.sha256;
  const found = await sha256(op, bytes);
  return found === expected ? null : `${bytes.length} bytes of SHA-256 ${found.slice(0, 12)}…`;
}

async function sha256(op: string, bytes: Bytes): Promise<string> {
  if (!crypto.subtle) {
    throw new GradusError(
      `${op}: no crypto.subtle to check files by; expected a secure context, https or localhost. ` +
        "Give checksum: false",
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function unpacked(op: string, file: PublishedFile, bytes: Bytes): Promise<Bytes> {
  if (!isGzip(bytes)) return bytes;
  try {
    return (await passBytes(bytes, new DecompressionStream("gzip"))) as Bytes;
  } catch (cause) {
    throw new FormatError(`${op}: ${file.name} that does not unpack; expected a gzip file`, {
      cause,
    });
  }
}
