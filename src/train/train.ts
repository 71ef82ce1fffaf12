import { GradusError } from "../core/errors.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "../nn/module.ts";
import { evaluateAccuracy } from "./evaluate.ts";
import type { EpochEvent, StepEvent, TrainEvent } from "./events.ts";
import { LossReader, type LossWindow, WINDOW } from "./loss-reader.ts";
import { type TrainStep, type TrainStepOptions, trainStep } from "./train-step.ts";

/** Gives batches epoch by epoch, as `DataLoader` does. */
export interface Loader<B> {
  /** Number of batches in each epoch. */
  readonly stepsPerEpoch: number;
  epoch(epoch: number): AsyncIterable<B> | Iterable<B>;
  /** Gives the batch of a step, counted over all epochs, as a graph that uploads nothing. */
  readonly batchAt?: ((step: Tensor) => B) | undefined;
}

/** Options of `train`. */
export interface TrainOptions<M extends Module, B extends Disposable>
  extends Omit<TrainStepOptions<M, B>, "batchAt" | "history"> {
  /** Gives the batches; with `batchAt`, steps take them from the device's own counter. */
  loader: Loader<B>;
  /** How many times the data set is gone through. */
  epochs: number;
  /** Stops between two steps; the weights stay as they are then. */
  signal?: AbortSignal;
  /** Steps between two `step` events; 10 when left out. */
  metricsEvery?: number;
  /** Examples on which `trainAccuracy` is measured after each epoch. */
  trainData?: Dataset<Batch>;
  /** Examples on which `testAccuracy` is measured after each epoch. */
  testData?: Dataset<Batch>;
  /** Examples a batch when measuring accuracy; 1000 when left out. */
  evaluationBatchSize?: number;
}

/**
 * Trains a model and reports how it goes.
 *
 * Losses are read some steps behind the step being enqueued, so the device never waits for a
 * report, and other tasks get their turn between steps. Leaving the loop stops the training.
 * @throws GradusError for bad numbers, and what the loss, the loader and the device throw.
 * @example
 * for await (const report of train({ model, optimizer, loss, loader, epochs: 10 })) {
 *   console.log(report.event, report.step, report.loss);
 * }
 */
export function train<M extends Module, B extends Disposable>(
  options: TrainOptions<M, B>,
): AsyncGenerator<TrainEvent, void, undefined> {
  const { epochs, metricsEvery = 10 } = options;
  checkCount("epochs", epochs, 0);
  checkCount("metricsEvery", metricsEvery, 1);
  return new Training(options, metricsEvery).run();
}

function checkCount(name: string, value: number, low: number): void {
  if (Number.isSafeInteger(value) && value >= low) return;
  throw new GradusError(`train: ${name} ${value}; expected an integer from ${low}`);
}

class Training<M extends Module, B extends Disposable> {
  readonly #options: TrainOptions<M, B>;
  readonly #every: number;
  readonly #reader: LossReader;
  readonly #trainStep: TrainStep<B>;
  #step = 0;
  /** Losses read since the last `step` event, and in this epoch. */
  #recent = new Mean();
  #epochLoss = new Mean();
  /** When the last `step` event or the epoch began, and at which step. */
  #since = { time: 0, step: 0 };

  constructor(options: TrainOptions<M, B>, every: number) {
    this.#options = options;
    this.#every = every;
    const { batchAt } = options.loader;
    this.#trainStep = trainStep({ ...options, batchAt, history: 4 * WINDOW });
    this.#reader = new LossReader(this.#trainStep);
  }

  async *run(): AsyncGenerator<TrainEvent, void, undefined> {
    try {
      for (let epoch = 0; epoch < this.#options.epochs && !this.#stopped; epoch++) {
        yield* this.#epoch(epoch);
      }
    } finally {
      await this.#reader.close();
      this.#trainStep.dispose();
    }
  }

  get #stopped(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  async *#epoch(epoch: number): AsyncGenerator<TrainEvent, void, undefined> {
    const start = { time: performance.now(), step: this.#step };
    this.#since = start;
    this.#epochLoss = new Mean();
    for await (const batch of this.#batches(epoch)) {
      if (this.#stopped) {
        batch?.[Symbol.dispose]();
        return;
      }
      await this.#advance(batch);
      yield* this.#account(epoch, false);
    }
    yield* this.#account(epoch, true);
    const stepsPerSecond = rate(start, this.#step);
    const accuracies = this.#stopped ? null : await this.#measure();
    if (!accuracies) return;
    const loss = this.#epochLoss.value;
    yield { event: "epoch", epoch, step: this.#step, loss, ...accuracies, stepsPerSecond };
  }

  /** An epoch's batches; as many times nothing where the step finds them itself. */
  #batches(epoch: number): AsyncIterable<B> | Iterable<B | undefined> {
    const { loader } = this.#options;
    if (!loader.batchAt) return loader.epoch(epoch);
    return Array.from({ length: loader.stepsPerEpoch }, () => undefined);
  }

  /** Enqueues one step; the batch is no longer needed then. */
  async #advance(batch: B | undefined): Promise<void> {
    using owned = batch;
    await this.#trainStep(owned);
    this.#step++;
    this.#reader.push(this.#step, this.#step % this.#every === 0);
  }

  /** Takes in the losses that must be read by now, or all of them, and reports steps. */
  async *#account(epoch: number, all: boolean): AsyncGenerator<StepEvent, void, undefined> {
    if (all) this.#reader.flush(this.#step);
    for (let read = await this.#reader.next(all); read; read = await this.#reader.next(all)) {
      this.#recent.add(read);
      this.#epochLoss.add(read);
      if (read.report) yield this.#report(epoch, read.step);
    }
  }

  #report(epoch: number, step: number): StepEvent {
    const steps = this.#options.epochs * this.#options.loader.stepsPerEpoch;
    const stepsPerSecond = rate(this.#since, step);
    const loss = this.#recent.value;
    this.#recent = new Mean();
    this.#since = { time: performance.now(), step };
    const secondsLeft = (steps - step) / stepsPerSecond;
    return { event: "step", epoch, step, steps, loss, stepsPerSecond, secondsLeft };
  }

  /** Measures the accuracies asked for; null when stopped meanwhile. */
  async #measure(): Promise<Pick<EpochEvent, "trainAccuracy" | "testAccuracy"> | null> {
    const { model, trainData, testData, signal, evaluationBatchSize: batchSize } = this.#options;
    const on = (data: Dataset<Batch>) => evaluateAccuracy(model, data, { batchSize, signal });
    try {
      return {
        ...(trainData && { trainAccuracy: await on(trainData) }),
        ...(testData && { testAccuracy: await on(testData) }),
      };
    } catch (error) {
      if (this.#stopped) return null;
      throw error;
    }
  }
}

/** A mean over steps, in float64. */
class Mean {
  #sum = 0;
  #count = 0;

  add({ sum, count }: LossWindow): void {
    this.#sum += sum;
    this.#count += count;
  }

  get value(): number {
    return this.#sum / this.#count;
  }
}

function rate(since: { time: number; step: number }, step: number): number {
  const seconds = Math.max(1e-6, (performance.now() - since.time) / 1000);
  return (step - since.step) / seconds;
}
