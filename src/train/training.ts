import { dispose } from "../core/dispose.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import type { Module } from "../nn/module.ts";
import { type AccumulatedStep, accumulatedStep } from "./accumulate.ts";
import { type EvaluateOptions, evaluateAccuracy } from "./evaluate.ts";
import { evaluateMeans } from "./evaluate-means.ts";
import type { EpochEvent, StepEvent, TrainEvent } from "./events.ts";
import { LossReader, WINDOW } from "./loss-reader.ts";
import { Means, type Sums } from "./means.ts";
import type { TrainOptions } from "./train.ts";
import { type TrainStep, trainStep } from "./train-step.ts";

/** What an epoch that is under way has come to. */
export interface Progressed {
  /** How many epochs have been reported. */
  readonly epochs: number;
  /** Over the epoch's steps so far. */
  readonly epoch: Sums;
  /** Over the steps since the last `step` event. */
  readonly recent: Sums;
}

type Measures = Pick<
  EpochEvent,
  "validationLoss" | "validationMetrics" | "trainAccuracy" | "testAccuracy"
>;

/** The loop behind `train`: steps, and what is read and measured of them. */
export class Training<M extends Module, B extends Disposable> {
  readonly trainStep: TrainStep<B> | AccumulatedStep<B>;
  readonly #options: TrainOptions<M, B>;
  readonly #reader: LossReader;
  /** How many steps have been made, and how many epochs reported. */
  #step = 0;
  #epochs = 0;
  /** What was read since the last `step` event, and in this epoch. */
  #recent = new Means();
  #inEpoch = new Means();
  /** When the last `step` event or the epoch began, and at which step. */
  #since = { time: 0, step: 0 };

  constructor(options: TrainOptions<M, B>) {
    const { loader, accumulate = 1, startStep = 0 } = options;
    const given = { ...options, batchAt: loader.batchAt, history: 4 * WINDOW };
    this.#options = options;
    this.trainStep =
      accumulate === 1 ? trainStep(given) : accumulatedStep({ ...given, accumulate });
    this.#reader = new LossReader(this.trainStep);
    this.goOn(startStep);
  }

  /** Begins after a number of steps; `progressed` tells of those in the epoch that is under way. */
  goOn(step: number, progressed?: Progressed): void {
    if (step !== this.trainStep.next) this.trainStep.seek(step);
    this.#step = step;
    this.#reader.skip(step);
    this.#epochs = progressed?.epochs ?? Math.floor(step / this.#options.loader.stepsPerEpoch);
    this.#inEpoch = new Means(progressed?.epoch);
    this.#recent = new Means(progressed?.recent);
  }

  async *run(): AsyncGenerator<TrainEvent, void, undefined> {
    while (!this.ended && !this.stopped) yield* this.#epoch(this.#epochs);
  }

  /** Whether all epochs have been reported. */
  get ended(): boolean {
    return this.#epochs >= this.#options.epochs;
  }

  /** Whether the signal says that training is to stop. */
  get stopped(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** Waits until all steps are done, and tells what the present epoch has come to. */
  async progressed(): Promise<Progressed> {
    this.#reader.flush(this.#step);
    const epoch = new Means(this.#inEpoch.sums);
    let recent = new Means(this.#recent.sums);
    for (const { records, report } of await this.#reader.settle()) {
      epoch.add(records);
      recent.add(records);
      if (report) recent = new Means();
    }
    return { epochs: this.#epochs, epoch: epoch.sums, recent: recent.sums };
  }

  /** Frees what the steps hold. */
  async close(): Promise<void> {
    await this.#reader.close();
    this.trainStep.dispose();
  }

  async *#epoch(epoch: number): AsyncGenerator<TrainEvent, void, undefined> {
    const start = { time: performance.now(), step: this.#step };
    this.#since = start;
    let done = this.#step - epoch * this.#options.loader.stepsPerEpoch;
    for await (const batch of this.#batches(epoch)) {
      if (this.stopped || done > 0) batch?.[dispose]();
      if (this.stopped) return;
      if (done-- > 0) continue; // by the run that this one goes on with
      await this.#advance(batch);
      yield* this.#account(epoch, false);
    }
    yield* this.#account(epoch, true);
    const stepsPerSecond = rate(start, this.#step);
    const measures = this.stopped ? null : await this.#measure();
    if (!measures) return;
    const { loss, metrics } = this.#inEpoch;
    this.#inEpoch = new Means();
    this.#epochs++;
    const means = { loss, ...(metrics && { metrics }) };
    yield { event: "epoch", epoch, step: this.#step, ...means, ...measures, stepsPerSecond };
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
    await this.trainStep(owned);
    this.#step++;
    const { metricsEvery = 10 } = this.#options;
    this.#reader.push(this.#step, this.#step % metricsEvery === 0);
  }

  /** Takes in the losses that must be read by now, or all of them, and reports steps. */
  async *#account(epoch: number, all: boolean): AsyncGenerator<StepEvent, void, undefined> {
    if (all) this.#reader.flush(this.#step);
    for (let read = await this.#reader.next(all); read; read = await this.#reader.next(all)) {
      this.#recent.add(read.records);
      this.#inEpoch.add(read.records);
      if (read.report) yield this.#report(epoch, read.step);
    }
  }

  #report(epoch: number, step: number): StepEvent {
    const steps = this.#options.epochs * this.#options.loader.stepsPerEpoch;
    const stepsPerSecond = rate(this.#since, step);
    const { loss, metrics } = this.#recent;
    this.#recent = new Means();
    this.#since = { time: performance.now(), step };
    const secondsLeft = (steps - step) / stepsPerSecond;
    const means = { loss, ...(metrics && { metrics }) };
    return { event: "step", epoch, step, steps, ...means, stepsPerSecond, secondsLeft };
  }

  /** Measures what is asked for; null when stopped meanwhile. */
  async #measure(): Promise<Measures | null> {
    const { model, trainData, testData, signal, evaluationBatchSize: batchSize } = this.#options;
    const options = { batchSize, signal };
    const accuracy = (data: Dataset<Batch>) => evaluateAccuracy(model, data, options);
    try {
      return {
        ...(await this.#validate(options)),
        ...(trainData && { trainAccuracy: await accuracy(trainData) }),
        ...(testData && { testAccuracy: await accuracy(testData) }),
      };
    } catch (error) {
      if (this.stopped) return null;
      throw error;
    }
  }

  async #validate(options: EvaluateOptions): Promise<Measures> {
    const { model, loss, metrics = {}, validationData } = this.#options;
    if (!validationData) return {};
    const means = await evaluateMeans(model, validationData, { ...metrics, loss }, options);
    const { loss: validationLoss, ...validationMetrics } = means as Record<string, number>;
    const hasMetrics = Object.keys(metrics).length > 0;
    return { validationLoss, ...(hasMetrics && { validationMetrics }) };
  }
}

function rate(since: { time: number; step: number }, step: number): number {
  const seconds = Math.max(1e-6, (performance.now() - since.time) / 1000);
  return (step - since.step) / seconds;
}
