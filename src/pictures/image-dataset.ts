import {
  checkEach,
  checkFunctions,
  checkOptions,
  checkWords,
  describeValue,
  type Known,
} from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { DTypeError, FormatError, GradusError, ShapeError } from "../core/errors.ts";
import { inMemory } from "../core/host-memory.ts";
import { kindOf } from "../core/kind.ts";
import { pathOf, readIfThere } from "../core/node-files.ts";
import { list, quote } from "../core/quote.ts";
import { sizeOf } from "../core/shape.ts";
import { checkIndices } from "../data/checks.ts";
import { Batch, type Dataset, DeviceDataset } from "../data/dataset.ts";
import { checkNormalize, type NormalizeOptions, normalizeImages } from "../data/normalize.ts";
import { defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { tensor } from "../ops/creation.ts";
import { forEachAxis, type PerAxis } from "../ops/sliding.ts";
import type { DecodeJob, PictureFit } from "./decode-picture.ts";
import { type Decoder, startDecoder } from "./decoders.ts";
import type { PictureLayout } from "./from-pixels.ts";
import { isBytes, withChannels } from "./host-pixels.ts";
import type { PictureFile } from "./picture-files.ts";

/** Options of `ImageDataset`. */
export interface ImageDatasetOptions {
  /** The height and width that all pictures get, or one number for both. */
  size: PerAxis;
  /** 1 is brightness, 3 red, green and blue, 4 these and alpha; 3 when left out. */
  channels?: 1 | 3 | 4;
  /** `CHW`, which convolutions take, when left out. */
  layout?: PictureLayout;
  /**
   * How a picture of another shape gets the size: `cover` cuts off what hangs over at two sides, `contain` leaves
   * black bars, `fill` distorts it; `cover` when left out.
   */
  fit?: PictureFit;
  /** The classes in the order of their numbers; the files' labels, sorted, when left out. */
  classes?: readonly (string | number)[];
  /** How bytes become f32; [0, 1] when left out. */
  normalize?: NormalizeOptions;
  /** The device of `init` when left out. */
  device?: Device;
  /**
   * Decodes a picture to RGBA bytes of a size, in place of the browser or, in Node, the package `sharp`.
   */
  decode?: (
    job: DecodeJob,
  ) => Uint8Array | Uint8ClampedArray | Promise<Uint8Array | Uint8ClampedArray>;
}

const IMAGE_DATASET: Known<ImageDatasetOptions> = {
  size: true,
  channels: "number",
  layout: true,
  fit: true,
  classes: true,
  normalize: true,
  device: true,
  decode: true,
};

/** Pictures that are decoded at a time by `load`. */
const AT_ONCE = 64;

/**
 * Labelled pictures in files, of which those of a batch are read, decoded and brought to one size when it is
 * asked for: in workers of a page, and ahead of the step where a `DataLoader` prefetches. `load` decodes all
 * of them once and keeps them on the device.
 *
 * Pictures that have the size already keep their pixels; others are made smaller or larger by the browser
 * or by `sharp`, whose results differ a little.
 * @example
 * const files = ["cat", "dog"].map((label) => ({ label, source: `pictures/${label}.png` }));
 * const data = new ImageDataset(files, { size: 64 });
 * await data.classes; // ["cat", "dog"]
 * const loader = new DataLoader({ dataset: data, batchSize: 32, prefetch: 2 });
 */
export class ImageDataset implements Dataset<Batch> {
  /** Number of pictures. */
  readonly size: number;
  /** The classes' names: that of label i at place i. */
  readonly classes: readonly string[];
  /** The number of each picture's class. */
  readonly labels: Int32Array<ArrayBuffer>;
  readonly #files: readonly PictureFile[];
  readonly #options: ImageDatasetOptions;
  readonly #device: Device;
  readonly #height: number;
  readonly #width: number;
  #decoder: Promise<Decoder> | null = null;

  /**
   * @param files pictures with their classes, from `pictureFiles` or one's own: encoded pictures, their URLs or, in Node, paths, or
   * functions that get them.
   * @throws GradusError for no pictures, labels that are no classes and other options; ShapeError for sizes.
   */
  constructor(files: Iterable<PictureFile>, options: ImageDatasetOptions, ...surplus: never[]) {
    checkOptions("ImageDataset", options, IMAGE_DATASET, surplus);
    const { channels = 3, layout = "CHW", fit = "cover", normalize = {}, decode } = options;
    checkEach("ImageDataset", { channels }, (n) => [1, 3, 4].includes(n as number), "1, 3 or 4");
    checkWords("ImageDataset", { layout }, ["HWC", "CHW"]);
    checkWords("ImageDataset", { fit }, ["cover", "contain", "fill"]);
    checkNormalize("ImageDataset", normalize);
    if (decode !== undefined) checkFunctions("ImageDataset", { decode });
    [this.#height, this.#width] = forEachAxis("ImageDataset", "size", options.size, [0, 1], 1);
    this.#files = filesOf(files);
    this.#options = options;
    this.#device = options.device ?? defaultDevice();
    this.size = this.#files.length;
    this.classes = classesOf(this.#files, options.classes);
    this.labels = classNumbers(this.#files, this.classes);
  }

  /** The shape of a picture. */
  get #shape(): number[] {
    const { channels = 3, layout = "CHW" } = this.#options;
    const pixels = [this.#height, this.#width];
    return layout === "CHW" ? [channels, ...pixels] : [...pixels, channels];
  }

  /**
   * Reads and decodes pictures by their numbers, each from 0 to `size` − 1: f32 images `[n, …]` and i32
   * labels `[n]`.
   * @throws ShapeError for another number, FormatError for a file that is no picture, DTypeError for a `decode` that
   * gives no bytes, and what reading it throws.
   */
  async batch(indices: ArrayLike<number>): Promise<Batch> {
    const own = checkIndices("ImageDataset.batch", indices, this.size);
    const { normalize = {} } = this.#options;
    const device = this.#device;
    const bytes = await this.#read("ImageDataset.batch", own);
    const pixels = tensor(bytes, { shape: [own.length, ...this.#shape], device });
    const labels = tensor(
      Int32Array.from(own, (i) => this.labels[i]),
      { device },
    );
    return new Batch(normalizeImages(pixels, normalize), labels, [pixels]);
  }

  /**
   * Reads and decodes all pictures and puts them on the device as bytes, so that a step uploads nothing.
   * @throws FormatError for a file that is no picture, DTypeError for a `decode` that gives no bytes, and what
   * reading it throws.
   */
  async load(
    options: { onProgress?: (done: number) => void } = {},
    ...surplus: never[]
  ): Promise<DeviceDataset> {
    checkOptions("ImageDataset.load", options, { onProgress: true }, surplus);
    const { onProgress } = options;
    if (onProgress !== undefined) checkFunctions("ImageDataset.load", { onProgress });
    const each = sizeOf(this.#shape);
    const all = inMemory("ImageDataset.load", () => new Uint8Array(this.size * each));
    for (let begin = 0; begin < this.size; begin += AT_ONCE) {
      const end = Math.min(this.size, begin + AT_ONCE);
      const some = Uint32Array.from({ length: end - begin }, (_, i) => begin + i);
      all.set(await this.#read("ImageDataset.load", some), begin * each);
      onProgress?.(end);
    }
    const device = this.#device;
    const images = tensor(all, { shape: [this.size, ...this.#shape], device });
    return new DeviceDataset(images, tensor(this.labels, { device }), this.#options.normalize);
  }

  /** Ends the workers that decode; they are started again when a picture is asked for. */
  dispose(): void {
    this.#decoder?.then(
      (decoder) => decoder.end(),
      () => {},
    );
    this.#decoder = null;
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }

  /** The bytes of some pictures, one after the other. */
  async #read(op: string, indices: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    const each = sizeOf(this.#shape);
    const bytes = inMemory(op, () => new Uint8Array(indices.length * each));
    const put = async (i: number) => bytes.set(await this.#picture(op, indices[i]), i * each);
    await Promise.all(Array.from(indices, (_, i) => put(i)));
    return bytes;
  }

  async #picture(op: string, i: number): Promise<Uint8Array> {
    const { channels = 3, layout = "CHW", fit = "cover" } = this.#options;
    const [height, width] = [this.#height, this.#width];
    const file = this.#files[i];
    const name = nameOfFile(file, i);
    const blob = await encoded(op, name, file);
    const data = await this.#decode(op, name, { blob, width, height, fit });
    const pixels = withChannels(op, data, 4, channels);
    return layout === "HWC" || channels === 1 ? pixels : planes(pixels, channels);
  }

  async #decode(op: string, name: string, job: DecodeJob): Promise<ArrayLike<number>> {
    const { decode } = this.#options;
    let data: ArrayLike<number>;
    const decoder = decode ? null : await this.#started(op);
    try {
      data = await (decode ? decode(job) : (decoder as Decoder).decode(job));
    } catch (error) {
      const reason = (error as Error | null)?.message ?? String(error);
      throw new FormatError(`${op}: ${name} (${reason}); expected a picture that can be decoded`, {
        cause: error,
      });
    }
    const expected = 4 * job.width * job.height;
    if (!isBytes(data)) {
      const given = describeValue(data);
      throw new DTypeError(
        `${op}: decode gives ${given} for ${name}; expected bytes, as a Uint8Array`,
      );
    }
    if (data.length === expected) return data;
    throw new ShapeError(
      `${op}: decode gives ${data.length} bytes for ${name}; expected ${expected}`,
    );
  }

  /** What decodes; asked for again where it could not be had. */
  #started(op: string): Promise<Decoder> {
    if (this.#decoder) return this.#decoder;
    const started = startDecoder(op);
    this.#decoder = started;
    started.catch(() => {
      if (this.#decoder === started) this.#decoder = null;
    });
    return started;
  }
}

/** Pixels `[h, w, c]` as planes `[c, h, w]`. */
function planes(pixels: Uint8Array, channels: number): Uint8Array {
  const count = pixels.length / channels;
  const made = new Uint8Array(pixels.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < count; i++) made[c * count + i] = pixels[i * channels + c];
  }
  return made;
}

function isBlob(value: unknown): value is Blob {
  return ["Blob", "File"].includes(kindOf(value));
}

/** What messages call a file. */
function nameOfFile({ name, source }: PictureFile, i: number): string {
  const isAddress = typeof source === "string" || kindOf(source) === "URL";
  return quote(name ?? (isAddress ? String(source) : `picture ${i}`));
}

async function encoded(op: string, name: string, { source }: PictureFile): Promise<Blob> {
  if (isBlob(source)) return source;
  const fail = (reason: string, cause?: unknown) => {
    return new GradusError(`${op}: ${name} (${reason}); expected a picture that can be read`, {
      cause,
    });
  };
  if (typeof source === "function") {
    const blob = await source();
    if (isBlob(blob)) return blob;
    throw new GradusError(`${op}: ${name} gives ${describeValue(blob)}; expected a Blob`);
  }
  const path = pathOf(String(source));
  if (path !== null) {
    const bytes = await readIfThere(path).catch((error: Error) => {
      throw fail(error.message, error);
    });
    if (bytes) return new Blob([bytes]);
    throw fail("no such file");
  }
  const response = await fetch(source).catch((error: Error) => {
    throw fail(error.message, error);
  });
  if (response.ok) return response.blob();
  throw fail(`status ${response.status}`);
}

/** NaN is none: no two of it are equal. */
function isLabel(label: unknown): boolean {
  return typeof label === "string" || (typeof label === "number" && !Number.isNaN(label));
}

function filesOf(given: Iterable<PictureFile>): PictureFile[] {
  const isList = typeof given === "object" && given !== null && Symbol.iterator in given;
  const files = isList ? [...given] : [];
  if (files.length === 0) {
    const what = isList ? "no pictures" : describeValue(given);
    throw new GradusError(`ImageDataset: ${what}; expected files as pictureFiles gives them`);
  }
  for (const [i, file] of files.entries()) {
    const { label, source } = file ?? {};
    const isSource = isBlob(source) || kindOf(source) === "URL";
    const isKnown = isSource || typeof source === "string" || typeof source === "function";
    if (isKnown && isLabel(label)) continue;
    const what = isKnown ? `label ${describeValue(label)}` : `source ${describeValue(source)}`;
    const expected = isKnown ? "a class, a text or number" : "a Blob, a URL or a function";
    throw new GradusError(`ImageDataset: picture ${i} has ${what}; expected ${expected}`);
  }
  return files;
}

/**
 * The classes that are given, or those of the files: numbers by size, else by their characters' codes. Labels
 * that are written alike, such as 1 and "1", are of one class.
 */
function classesOf(
  files: readonly PictureFile[],
  given: readonly (string | number)[] | undefined,
): string[] {
  if (given !== undefined) {
    const areLabels = (x: unknown) => Array.isArray(x) && x.every(isLabel);
    checkEach("ImageDataset", { classes: given }, areLabels, "an array of texts and numbers");
    const names = given.map(String);
    if (new Set(names).size === names.length) return names;
    throw new GradusError(`ImageDataset: classes ${list(names)}; expected different ones`);
  }
  const labels = [...new Set(files.map(({ label }) => String(label)))];
  const areNumbers = files.every(({ label }) => typeof label === "number");
  return labels.sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1));
}

function classNumbers(
  files: readonly PictureFile[],
  classes: readonly string[],
): Int32Array<ArrayBuffer> {
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return Int32Array.from(files, ({ label }, i) => {
    const number = numbers.get(String(label));
    if (number !== undefined) return number;
    throw new GradusError(
      `ImageDataset: picture ${i} has label ${describeValue(label)}; expected one of ${list(classes)}`,
    );
  });
}
