import { checkEach, checkOptions } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { expectDType } from "../core/dtype.ts";
import { DeviceError, FormatError, GradusError, ShapeError } from "../core/errors.ts";
import { list } from "../core/quote.ts";
import { formatShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { checkTensors, Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { cast } from "../ops/cast.ts";
import { tensor } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { checkIndices, checkRows } from "./checks.ts";
import { parseIdx } from "./idx.ts";
import { checkNormalize, type NormalizeOptions, normalizeImages } from "./normalize.ts";
import type { BatchSampler } from "./sampler.ts";
import { stepRows } from "./step-rows.ts";

/** Examples that can be had in batches by their numbers. */
export interface Dataset<B> {
  /** Number of examples. */
  readonly size: number;
  /** Gives the examples of these numbers, each from 0 to `size` − 1, for the caller to dispose. */
  batch(indices: Uint32Array): B | Promise<B>;
  /** Gives the batch of a step, a u32 scalar, as a graph that uploads nothing; where it can. */
  batchAt?: ((step: Tensor, sampler: BatchSampler) => B) | undefined;
  /**
   * Gives the examples that a u32 tensor `[n]` names, as a graph; where it can. The batch frees
   * `owned` with itself.
   */
  rows?: ((indices: Tensor, owned?: readonly Tensor[]) => B) | undefined;
}

/** Some labelled images; `using` or `dispose()` frees them. */
export class Batch implements Disposable {
  readonly #owned: readonly Tensor[];

  /**
   * @param images f32 `[n, …]`.
   * @param labels i32 `[n]`.
   * @param owned what the two were built on and what is to be freed with them.
   */
  constructor(
    readonly images: Tensor,
    readonly labels: Tensor,
    owned: readonly Tensor[] = [],
  ) {
    checkEach("Batch", { owned }, Array.isArray, "an array of tensors");
    checkTensors("Batch", [images, labels, ...owned]);
    this.#owned = [images, labels, ...owned];
  }

  /** Number of examples. */
  get size(): number {
    return this.labels.shape[0];
  }

  /** Frees the batch; what was built on it must have been evaluated. */
  dispose(): void {
    for (const x of this.#owned) x.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** Gives a batch's images and their labels; throws a `GradusError`, as `op`, for one of other data. */
export function examplesOf(op: string, batch: Batch): [Tensor, Tensor] {
  const { images, labels } = batch;
  if (images instanceof Tensor && labels instanceof Tensor) return [images, labels];
  const given = `batches with ${list(Object.keys(batch))}`;
  throw new GradusError(
    `${op}: ${given}; expected images and labels. Use evaluateMeans for other data`,
  );
}

/**
 * Labelled images that stay on the device as bytes. A batch uploads nothing but the numbers of its
 * examples: images are gathered, cast and scaled where they are used.
 */
export class DeviceDataset implements Dataset<Batch>, KnownByIdentity {
  readonly size: number;

  /**
   * Takes charge of both tensors: `dispose()` frees them.
   * @param images u8 `[n, …]`.
   * @param labels u8, u32 or i32 `[n]`.
   * @param normalize how bytes become f32; [0, 1] when left out.
   * @throws ShapeError or DTypeError for other shapes and dtypes, DeviceError unless both lie on one
   * device, GradusError for a bad `normalize`.
   */
  constructor(
    readonly images: Tensor,
    readonly labels: Tensor,
    readonly normalize: NormalizeOptions = {},
  ) {
    checkTensors("DeviceDataset", [images, labels]);
    checkNormalize("DeviceDataset", normalize);
    expectDType("DeviceDataset: images have dtype", images.dtype, "byte");
    expectDType("DeviceDataset: labels have dtype", labels.dtype, "integer");
    if (images.rank < 2 || labels.rank !== 1 || images.shape[0] !== labels.shape[0]) {
      throw new ShapeError(
        `DeviceDataset: images ${formatShape(images.shape)} with labels ` +
          `${formatShape(labels.shape)}; expected [n, …] and [n]`,
      );
    }
    if (images.device !== labels.device) {
      throw new DeviceError(
        `DeviceDataset: images on ${images.device.kind}, labels on ${labels.device.kind}; ` +
          "expected one device",
      );
    }
    this.size = labels.shape[0];
  }

  /**
   * Gives examples by their numbers, each from 0 to `size` − 1: lazy f32 images `[n, …]` and i32
   * labels `[n]`.
   * @throws ShapeError for another number.
   */
  batch(indices: ArrayLike<number>): Batch {
    const own = checkIndices("DeviceDataset.batch", indices, this.size);
    const rows = tensor(own, { device: this.images.device });
    return this.rows(rows, [rows]);
  }

  /**
   * Gives the batch of a step, counted over all epochs, without any upload: lazy f32 images and i32
   * labels of the examples that `sampler.at` names, computed from the counter on the device.
   * @param step u32 scalar on the data's device, such as a `State`.
   * @throws ShapeError if the sampler is for another size; else as `batchIndices` does, such as for
   * a sampler whose last batch is shorter.
   * @example
   * const sampler = new BatchSampler({ size: data.size, batchSize: 100, dropLast: true });
   * using batch = data.batchAt(step, sampler);
   */
  batchAt(step: Tensor, sampler: BatchSampler): Batch {
    const rows = stepRows("DeviceDataset", this.size, step, sampler);
    return this.rows(rows, [rows]);
  }

  /** Gives the examples that a u32 tensor `[n]` names, and frees `owned` with them. */
  rows(indices: Tensor, owned: readonly Tensor[] = []): Batch {
    checkRows("DeviceDataset.rows", indices);
    const pixels = gather(this.images, indices);
    const labels = cast(gather(this.labels, indices), "i32");
    return new Batch(normalizeImages(pixels, this.normalize), labels, [pixels, ...owned]);
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  /** Frees the images and labels. */
  dispose(): void {
    this.images.dispose();
    this.labels.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** Options of `mnist`. */
export interface MnistOptions {
  /** How bytes become f32; [0, 1] when left out. */
  normalize?: NormalizeOptions;
  /** The device of `init` when left out. */
  device?: Device;
}

/**
 * Makes a data set of the two files of MNIST, or of any in their format: images `[n, rows · columns]`.
 * @param images bytes of the uncompressed IDX file of u8 `[n, rows, columns]`.
 * @param labels bytes of the uncompressed IDX file of u8 `[n]`.
 * @throws FormatError for other files.
 */
export function mnist(
  images: Uint8Array | ArrayBuffer,
  labels: Uint8Array | ArrayBuffer,
  options: MnistOptions = {},
): DeviceDataset {
  checkOptions<MnistOptions>("mnist", options, { normalize: true, device: true });
  const { device, normalize = {} } = options;
  checkNormalize("mnist", normalize);
  const x = parseIdx("mnist: images", images);
  const y = parseIdx("mnist: labels", labels);
  const fits = x.dtype === "u8" && y.dtype === "u8" && x.shape.length === 3;
  const isEmpty = x.data.length === 0; // its sizes need not fit anything
  if (!fits || isEmpty || y.shape.length !== 1 || y.shape[0] !== x.shape[0]) {
    throw new FormatError(
      `mnist: images ${x.dtype} ${formatShape(x.shape)} with labels ${y.dtype} ` +
        `${formatShape(y.shape)}; expected u8 [n, rows, columns] and u8 [n], not empty`,
    );
  }
  const [n, rows, columns] = x.shape;
  const pixels = tensor(x.data, { shape: [n, rows * columns], device });
  return new DeviceDataset(pixels, tensor(y.data, { device }), normalize);
}
