import { checkEach, checkFunctions, checkOptions, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { isPlainObject, kindOf } from "../core/kind.ts";
import type { NormalizeOptions } from "../data/normalize.ts";
import { checkNormalize } from "../data/normalize.ts";
import type { Device } from "../graph/device.ts";

/** What a file's content may be given as. */
export type FileContent = Blob | Uint8Array | ArrayBuffer;

/** How far the loading of a file has come. */
export interface DatasetProgress {
  /** The file's name. */
  readonly file: string;
  /** Bytes that are there. */
  readonly loaded: number;
  /** Bytes of the whole file, where the published one is meant; else as far as the server tells, or null. */
  readonly total: number | null;
}

/** Options of functions that load data sets. */
export interface DatasetOptions {
  /**
   * Where the files lie, under their published names, as they are or unpacked: an address, or a folder in
   * Node; or the files by name, as an `<input type="file">` gives them. Where they are published, when left
   * out. A folder is read each time and never copied to the cache; for an address, what is kept goes first.
   */
  from?: string | URL | Readonly<Record<string, FileContent>>;
  /**
   * Whether files from elsewhere are kept for the next time: true when left out, which is the page's Cache
   * Storage, or in Node the user's folder for such files; or the name of a cache, or the path of a folder.
   */
  cache?: boolean | string;
  /** Whether files must be the published ones, by SHA-256; true when left out. Others are not kept. */
  checksum?: boolean;
  /** Stops the loading. */
  signal?: AbortSignal;
  /** Hears how far it has come. */
  onProgress?: (progress: DatasetProgress) => void;
  /** The device of `init` when left out. */
  device?: Device;
}

/** Options of functions that load images. */
export interface PixelDatasetOptions extends DatasetOptions {
  /** How bytes become f32; [0, 1] when left out. */
  normalize?: NormalizeOptions;
}

const DATASET: Known<DatasetOptions> = {
  from: "string",
  cache: true,
  checksum: "boolean",
  signal: true,
  onProgress: true,
  device: true,
};

/** Checks options; throws a `GradusError`, as `op`, for others. */
export function checkDatasetOptions(
  op: string,
  options: DatasetOptions,
  surplus: readonly unknown[],
): void {
  checkOptions<DatasetOptions>(op, options, DATASET, surplus);
  checkCommon(op, options);
}

/** Checks options of images, as `checkDatasetOptions` does others. */
export function checkPixelOptions(
  op: string,
  options: PixelDatasetOptions,
  surplus: readonly unknown[],
): void {
  checkOptions<PixelDatasetOptions>(op, options, { ...DATASET, normalize: true }, surplus);
  checkCommon(op, options);
  checkNormalize(op, options.normalize ?? {});
}

function checkCommon(op: string, { from, cache = true, signal, onProgress }: DatasetOptions): void {
  const isPlace = typeof from === "string" || kindOf(from) === "URL" || isPlainObject(from);
  if (from !== undefined && (!isPlace || from === "")) {
    throw new GradusError(`${op}: from ${kindOf(from)}; expected an address, or files by name`);
  }
  const isCache = (x: unknown) => typeof x === "boolean" || (typeof x === "string" && x !== "");
  checkEach(op, { cache }, isCache, "true, false or the name of a cache or folder");
  if (signal !== undefined) {
    const isSignal = (x: unknown) => kindOf(x) === "AbortSignal";
    checkEach(op, { signal }, isSignal, "the signal of an AbortController");
  }
  if (onProgress !== undefined) checkFunctions(op, { onProgress });
}
