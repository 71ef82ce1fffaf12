import { dispose } from "../core/dispose.ts";
import { ShapeError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { tensor } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { checkDataset, checkIndices, checkRows } from "./checks.ts";
import type { Dataset } from "./dataset.ts";
import type { BatchSampler } from "./sampler.ts";
import { stepRows } from "./step-rows.ts";

/** Some examples of a data set under numbers of their own; nothing is copied. */
export class Subset<B> implements Dataset<B>, KnownByIdentity {
  readonly size: number;
  readonly #dataset: Dataset<B>;
  readonly #indices: Uint32Array;
  /** The numbers on a device, once a graph needs them. */
  #onDevice: Tensor | null = null;

  /**
   * @param dataset stays the caller's to dispose.
   * @param indices which example of the data set each is; copied.
   * @throws ShapeError for no examples, or one that the data set does not have.
   */
  constructor(dataset: Dataset<B>, indices: ArrayLike<number>) {
    checkDataset("Subset", dataset);
    this.#dataset = dataset;
    this.#indices = checkIndices("Subset", indices, dataset.size);
    this.size = this.#indices.length;
    if (this.size > 0) return;
    throw new ShapeError(`Subset: no examples; expected integers from 0 to ${dataset.size - 1}`);
  }

  /** Which example of the data set each is. */
  get indices(): Uint32Array {
    return this.#indices.slice();
  }

  /**
   * Gives examples by their numbers, each from 0 to `size` − 1.
   * @throws ShapeError for another number.
   */
  batch(indices: ArrayLike<number>): B | Promise<B> {
    const own = checkIndices("Subset.batch", indices, this.size);
    return this.#dataset.batch(own.map((i) => this.#indices[i]));
  }

  /** Gives the batch of a step as `Dataset.batchAt` does; undefined where the data set has no `rows`. */
  get batchAt(): ((step: Tensor, sampler: BatchSampler) => B) | undefined {
    const { rows } = this;
    return rows && ((step, sampler) => rows(stepRows("Subset", this.size, step, sampler)));
  }

  /** Gives examples as `Dataset.rows` does; undefined where the data set cannot. */
  get rows(): ((indices: Tensor, owned?: readonly Tensor[]) => B) | undefined {
    const dataset = this.#dataset;
    if (!dataset.rows) return undefined;
    return (indices, owned = []) => {
      checkRows("Subset.rows", indices);
      const mapped = gather(this.#numbers(indices), indices);
      return dataset.rows?.(mapped, [mapped, ...owned]) as B;
    };
  }

  #numbers({ device }: Tensor): Tensor {
    const held = this.#onDevice;
    if (held && !held.disposed && held.device === device) return held;
    held?.dispose();
    this.#onDevice = tensor(this.#indices, { device });
    return this.#onDevice;
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  /** Frees what it holds on the device, not the data set. */
  dispose(): void {
    this.#onDevice?.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}
