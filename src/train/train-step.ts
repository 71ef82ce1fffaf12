import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { compile } from "../engine/compile.ts";
import type { Plan, Progress } from "../engine/plan.ts";
import type { Profile } from "../engine/profile.ts";
import { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "../nn/module.ts";
import { add } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { reshape } from "../ops/reshape.ts";
import { writeAt } from "../ops/write-at.ts";
import type { OptimizerLike } from "../optim/optimizer.ts";

/** Computes a scalar from a model and a batch: a loss, or a metric. */
export type BatchFunction<M extends Module, B> = (model: M, batch: B) => Tensor;

/** Computes the scalar loss of a model on a batch. */
export type LossFunction<M extends Module, B> = BatchFunction<M, B>;

/** What a training step consists of. */
export interface TrainStepOptions<M extends Module, B> {
  model: M;
  optimizer: OptimizerLike;
  loss: LossFunction<M, B>;
  /** Scalars to be kept beside the loss, by name, computed before the step changes the model. */
  metrics?: Readonly<Record<string, BatchFunction<M, B>>>;
  /**
   * Gives the batch of a step, a u32 scalar that counts from 0, so that nothing has to be uploaded:
   * `(step) => dataset.batchAt(step, sampler)`. The step then takes no batch.
   */
  batchAt?: (step: Tensor) => B;
  /** How many steps' losses and metrics wait on the device to be read; 1024 when left out. */
  history?: number;
  /** Steps in one submit; as many as take 2 to 8 ms when left out. */
  stepsPerSubmit?: number;
  /** Told how many pipelines have been built before the first step. */
  onProgress?: Progress;
}

/** What one step gave: its number from 0, its loss from before the change, and the metrics. */
export type StepRecord = { readonly step: number; readonly loss: number } & Readonly<
  Record<string, number>
>;

/** A training step: one compiled plan of forward, backward and update. */
export interface TrainStep<B> {
  /**
   * Trains on one batch, or on that of `batchAt`. The promise waits for no result, only while plans
   * are built or the device is far behind; the batch may be disposed when it has resolved.
   */
  (batch?: B): Promise<void>;
  /** Builds the plan for batches like this one, without training. */
  prepare(batch?: B): Promise<Plan>;
  /** Trains on one batch, as a call does, and tells how long each kernel took. */
  profile(batch?: B): Promise<Profile>;
  /** Reads what the steps since the last read gave, oldest first; at most `history` of them. */
  read(): Promise<StepRecord[]>;
  /** The number of the next step. */
  readonly next: number;
  /** Goes on from another step number, as after loading weights. */
  seek(step: number): void;
  readonly plans: readonly Plan[];
  /** Frees what the step holds on the device, not the model or the optimizer. */
  dispose(): void;
}

/**
 * Makes a function that trains a model on one batch in one plan that is traced once and replayed.
 *
 * Losses and metrics are written to rings on the device; `read` copies them without stalling it.
 * @throws ShapeError, when the step is called, if the loss or a metric is no scalar.
 * @example
 * const step = trainStep({
 *   model,
 *   optimizer,
 *   loss: (model, { images, labels }) => crossEntropy(model.call(images), labels),
 * });
 * await step(batch);
 * const [{ loss }] = await step.read();
 */
export function trainStep<M extends Module, B>(options: TrainStepOptions<M, B>): TrainStep<B> {
  const training = new Training(options);
  const step = Object.assign((batch?: B) => training.step(batch), {
    prepare: (batch?: B) => training.prepare(batch),
    profile: (batch?: B) => training.profile(batch),
    read: () => training.read(),
    seek: (to: number) => training.seek(to),
    dispose: () => training.dispose(),
    next: 0,
    plans: [] as readonly Plan[],
  });
  return Object.defineProperties(step, {
    next: { get: () => training.next },
    plans: { get: () => training.plans },
  });
}

class Training<M extends Module, B> {
  readonly #options: TrainStepOptions<M, B>;
  readonly #history: number;
  /** The last values of the loss and of each metric, each at its step's number mod history. */
  readonly #rings: ReadonlyMap<string, State>;
  /** The number of the next step, on the device. */
  readonly #cursor: State;
  readonly #compiled: ReturnType<typeof compile<[batch: B | undefined], void>>;
  /** The step at which the cursor had a version: each step raises both by one. */
  #start = { step: 0, version: 0 };
  #read = 0;

  constructor(options: TrainStepOptions<M, B>) {
    const { history = 1024, metrics = {}, stepsPerSubmit, onProgress } = options;
    checkCount("history", history, 1);
    if (Object.hasOwn(metrics, "loss") || Object.hasOwn(metrics, "step")) {
      throw new GradusError("trainStep: a metric called loss or step; expected other names");
    }
    this.#options = options;
    this.#history = history;
    const like = options.optimizer.parameters[0];
    const ring = (name: string) => new State(zeros([history], like), { name });
    this.#rings = new Map(["loss", ...Object.keys(metrics)].map((name) => [name, ring(name)]));
    this.#cursor = new State(tensor(0, { dtype: "u32", device: like.device }), { name: "cursor" });
    this.#compiled = compile((batch) => this.#body(batch), { stepsPerSubmit, onProgress });
  }

  get next(): number {
    return this.#start.step + this.#cursor.version - this.#start.version;
  }

  get plans(): readonly Plan[] {
    return this.#compiled.plans;
  }

  prepare(batch?: B): Promise<Plan> {
    return this.#compiled.prepare(batch);
  }

  profile(batch?: B): Promise<Profile> {
    return this.#compiled.profile(batch);
  }

  async step(batch?: B): Promise<void> {
    await this.#compiled(batch);
  }

  async read(): Promise<StepRecord[]> {
    const { next } = this;
    const first = Math.max(this.#read, next - this.#history);
    const count = next - first;
    this.#read = next;
    if (count === 0) return [];
    const names = [...this.#rings.keys()];
    const values = await Promise.all([...this.#rings.values()].map((ring) => ring.data()));
    return Array.from({ length: count }, (_, i) => {
      const step = first + i;
      const at = step % this.#history;
      const pairs = names.map((name, k) => [name, values[k][at]]);
      return { step, ...Object.fromEntries(pairs) } as StepRecord;
    });
  }

  seek(step: number): void {
    checkCount("seek to", step, 0);
    const next = tensor(step, { dtype: "u32", device: this.#cursor.device });
    this.#cursor.assign(next);
    next.dispose();
    this.#start = { step, version: this.#cursor.version };
    this.#read = step;
  }

  dispose(): void {
    this.#compiled.dispose();
    for (const state of [this.#cursor, ...this.#rings.values()]) state.dispose();
  }

  #body(given: B | undefined): void {
    const { model, optimizer, loss, metrics = {}, batchAt } = this.#options;
    const batch = batchAt ? batchAt(this.#cursor) : given;
    if (batch === undefined) {
      throw new GradusError("trainStep: no batch; expected one, or the option batchAt");
    }
    const value = loss(model, batch);
    const values: [string, Tensor][] = [["loss", value]];
    for (const [name, metric] of Object.entries(metrics)) values.push([name, metric(model, batch)]);
    for (const [name, x] of values) checkScalar(name, x);
    optimizer.step(value);
    for (const [name, x] of values) {
      const ring = this.#rings.get(name) as State;
      ring.assign(writeAt(ring, this.#cursor, cast(reshape(x, []), ring.dtype)));
    }
    this.#cursor.assign(add(this.#cursor, 1));
  }
}

function checkCount(what: string, n: number, low: number): void {
  if (Number.isSafeInteger(n) && n >= low && n < 2 ** 32) return;
  throw new GradusError(`trainStep: ${what} ${n}; expected an integer from ${low} to 2^32 - 1`);
}

function checkScalar(name: string, value: Tensor): void {
  if (value.size === 1) return;
  throw new ShapeError(
    `trainStep: ${name} has shape ${formatShape(value.shape)}; expected a scalar. ` +
      "Reduce it, say with mean",
  );
}
