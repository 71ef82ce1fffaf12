import { checkFunctions, checkOptions, describeValue, didYouMean } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { DeviceError, GradusError, ShapeError } from "../core/errors.ts";
import { list, quote, shorten } from "../core/quote.ts";
import { formatShape } from "../core/shape.ts";
import { namesOf } from "../graph/device.ts";
import { Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { tensor } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { checkIndices, checkRows } from "./checks.ts";
import type { Dataset } from "./dataset.ts";
import type { BatchSampler } from "./sampler.ts";
import { stepRows } from "./step-rows.ts";

/** Some examples: a tensor for each name, examples along axis 0. */
export type TensorBatch<N extends string = string> = {
  /** Number of examples. */
  readonly size: number;
  /** Frees the batch; what was built on it must have been evaluated. */
  dispose(): void;
  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [Symbol.dispose](): void;
} & { readonly [K in N]: Tensor };

/** Options of `TensorDataset`. */
export interface TensorDatasetOptions<N extends string> {
  /** What becomes of a batch's tensor by its name, such as a cast or `scaling.apply`. */
  prepare?: { readonly [K in N]?: (x: Tensor) => Tensor };
}

/** The properties of batches beside their tensors. */
const RESERVED = ["size", "dispose"];

/**
 * A data set of tensors that stay on their device, examples along axis 0: batches have the same
 * names, shapes and dtypes, and upload nothing but the numbers of their examples.
 * @example
 * const data = new TensorDataset({ inputs, targets });
 * using batch = data.batch(Uint32Array.of(4, 2)); // batch.inputs, batch.targets
 */
export class TensorDataset<T extends Readonly<Record<string, Tensor>>>
  implements Dataset<TensorBatch<keyof T & string>>, KnownByIdentity
{
  readonly size: number;
  readonly #prepare: Readonly<Record<string, ((x: Tensor) => Tensor) | undefined>>;

  /**
   * Takes charge of the tensors: `dispose()` frees them.
   * @throws ShapeError unless all have the same number of examples, DeviceError unless they lie on
   * one device, GradusError for no tensors or one called `size` or `dispose`.
   */
  constructor(
    readonly tensors: T,
    options: TensorDatasetOptions<keyof T & string> = {},
  ) {
    this.size = exampleCount(tensors);
    this.#prepare = checkPrepare(Object.keys(tensors), options);
  }

  /**
   * Gives examples by their numbers, each from 0 to `size` − 1, as lazy tensors.
   * @throws ShapeError for another number.
   */
  batch(indices: ArrayLike<number>): TensorBatch<keyof T & string> {
    const own = checkIndices("TensorDataset.batch", indices, this.size);
    const rows = tensor(own, { device: Object.values(this.tensors)[0].device });
    return this.rows(rows, [rows]);
  }

  /**
   * Gives the batch of a step, counted over all epochs, without any upload: the examples that
   * `sampler.at` names, computed from the counter on the device.
   * @param step u32 scalar on the data's device, such as a `State`.
   * @throws ShapeError if the sampler is for another size; else as `batchIndices` does, such as for
   * a sampler whose last batch is shorter.
   */
  batchAt(step: Tensor, sampler: BatchSampler): TensorBatch<keyof T & string> {
    const rows = stepRows("TensorDataset", this.size, step, sampler);
    return this.rows(rows, [rows]);
  }

  /** Gives the examples that a u32 tensor `[n]` names, and frees `owned` with them. */
  rows(indices: Tensor, owned: readonly Tensor[] = []): TensorBatch<keyof T & string> {
    checkRows("TensorDataset.rows", indices);
    const all = [...owned];
    const made = Object.entries(this.tensors).map(([name, x]) => {
      const taken = gather(x, indices);
      all.push(taken);
      return [name, this.#prepared(name, taken)] as const;
    });
    return new BatchTensors(made, all) as unknown as TensorBatch<keyof T & string>;
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  #prepared(name: string, x: Tensor): Tensor {
    if (!Object.hasOwn(this.#prepare, name)) return x;
    const made = this.#prepare[name]?.(x) ?? x;
    if (made instanceof Tensor) return made;
    throw new GradusError(
      `TensorDataset: prepare gives ${describeValue(made)} for ${quote(name)}; expected a tensor`,
    );
  }

  /** Frees the tensors. */
  dispose(): void {
    for (const x of Object.values(this.tensors)) x.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** Tensors as properties, which compiled functions see as any object's. */
export class BatchTensors implements Disposable {
  readonly #owned: readonly Tensor[];

  constructor(tensors: readonly (readonly [string, Tensor])[], owned: readonly Tensor[]) {
    // Defined, since assigning what is called __proto__ would do something else.
    for (const [name, value] of tensors) {
      Object.defineProperty(this, name, { value, enumerable: true });
    }
    this.#owned = [...tensors.map(([, x]) => x), ...owned];
  }

  get size(): number {
    return (Object.values(this)[0] as Tensor).shape[0];
  }

  dispose(): void {
    for (const x of this.#owned) x.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/** Checks options: what is to be prepared must be there. */
function checkPrepare(
  names: readonly string[],
  options: TensorDatasetOptions<string>,
): Readonly<Record<string, ((x: Tensor) => Tensor) | undefined>> {
  checkOptions("TensorDataset", options, { prepare: true });
  const { prepare = {} } = options;
  if (typeof prepare !== "object" || prepare === null) {
    throw new GradusError(
      `TensorDataset: prepare ${describeValue(prepare)}; expected functions by name`,
    );
  }
  for (const [name, make] of Object.entries(prepare)) {
    if (!names.includes(name)) {
      throw new GradusError(
        `TensorDataset: prepare of ${quote(name)}; expected one of ${list(names)}` +
          didYouMean(name, names),
      );
    }
    if (make !== undefined) checkFunctions("TensorDataset", { [`prepare of ${name}`]: make });
  }
  return prepare;
}

/** The number of examples of tensors that were checked. */
function exampleCount(tensors: Readonly<Record<string, Tensor>>): number {
  if ((tensors as unknown) instanceof Tensor) {
    throw new GradusError(
      "TensorDataset: a Tensor; expected tensors by name. Did you mean { x, labels }?",
    );
  }
  const entries = Object.entries(tensors ?? {});
  const wrong = entries.find(([name, x]) => RESERVED.includes(name) || !(x instanceof Tensor));
  if (entries.length === 0 || wrong) {
    const given = wrong
      ? `a tensor called ${shorten(wrong[0])}, ${describeValue(wrong[1])}`
      : "no tensors";
    throw new GradusError(
      `TensorDataset: ${given}; expected tensors by name, none called ${RESERVED.join(" or ")}`,
    );
  }
  const [, first] = entries[0];
  if (entries.some(([, x]) => x.rank === 0 || x.shape[0] !== first.shape[0])) {
    const given = entries.map(([name, x]) => `${name} ${formatShape(x.shape)}`).join(", ");
    throw new ShapeError(`TensorDataset: ${given}; expected [n, …] with one n`);
  }
  const other = entries.find(([, x]) => x.device !== first.device);
  if (other) {
    const [own, its] = namesOf([first.device, other[1].device]);
    throw new DeviceError(
      `TensorDataset: ${entries[0][0]} on ${own}, ${other[0]} on ${its}; expected one device`,
    );
  }
  return first.shape[0];
}
