import { GradusError } from "../core/errors.ts";
import { release } from "../core/release.ts";
import type { AnyModule } from "../nn/module.ts";
import { type AccumulatedStep, makeAccumulatedStep } from "./accumulate.ts";
import { type Batches, batchesOf, checkedBatches, examplesIn } from "./batches.ts";
import { DeviceWatcher } from "./device-watcher.ts";
import type { StepEvent, TrainEvent } from "./events.ts";
import { LossReader, type LossWindow, WINDOW } from "./loss-reader.ts";
import { Means, type Sums } from "./means.ts";
import { measure } from "./measure.ts";
import { checkLosses } from "./non-finite.ts";
import { type Moment, Pace, paceBetween } from "./pace.ts";
import type { TrainOptions } from "./train-options.ts";
import { makeTrainStep, type TrainStep } from "./train-step.ts";

/** Where a run is, and what the epoch that is under way has come to. */
export interface Progressed {
  /** How many epochs have been reported. */
  readonly epochs: number;
  /** Steps of the epoch that is under way. */
  readonly steps: number;
  /** Batches of an epoch; null while nothing tells. */
  readonly stepsPerEpoch: number | null;
  /** Over the epoch's steps so far. */
  readonly epoch: Sums;
  /** Over the steps since the last `step` event. */
  readonly recent: Sums;
}

/** The loop behind `train` and `fit`: steps, and what is read and measured of them. */
export class Training<M extends AnyModule, B> {
  readonly trainStep: TrainStep<B> & Partial<Pick<AccumulatedStep<B>, "flush" | "pending">>;
  readonly batches: Batches<B>;
  readonly #op: string;
  readonly #options: TrainOptions<M, B>;
  readonly #reader: LossReader;
  readonly #watcher: DeviceWatcher;
  /** Batches of an epoch; Infinity while nothing tells. */
  #stepsPerEpoch: number;
  /** How many steps have been made, of them in this epoch, and how many epochs reported. */
  #step = 0;
  #stepInEpoch = 0;
  #epochs = 0;
  /** Steps that went with a device and that the run has not gone back by yet. */
  #dropped = 0;
  /** What was read since the last `step` event, and in this epoch. */
  #recent = new Means();
  #inEpoch = new Means();
  /** When the last `step` event or the epoch began, and at which step. */
  #since: Moment = { time: 0, step: 0 };
  readonly #pace = new Pace();

  /** Takes options that were checked; errors speak as `op`. */
  constructor(op: string, options: TrainOptions<M, B>) {
    const { model, optimizer, loss, metrics, after, stepsPerSubmit, onProgress } = options;
    const { accumulate = 1, startStep = 0, mirrorEvery, capture } = options;
    this.#op = op;
    this.#options = options;
    this.batches = batchesOf(op, options.loader);
    this.#stepsPerEpoch = this.batches.stepsPerEpoch;
    this.#checkStart(startStep, accumulate);
    const { batchAt } = this.batches;
    const step = { model, optimizer, loss, metrics, after, stepsPerSubmit, onProgress, batchAt };
    const given = { ...step, mirrorEvery, history: 4 * WINDOW, capture };
    this.trainStep =
      accumulate === 1
        ? makeTrainStep(op, given)
        : makeAccumulatedStep(op, { ...given, accumulate });
    this.#reader = new LossReader(this.trainStep);
    this.#watcher = new DeviceWatcher(optimizer.parameters[0].device);
    if (startStep > 0) {
      if (accumulate === 1) this.trainStep.seek(startStep);
      else (this.trainStep as AccumulatedStep<B>).seek(startStep, 0);
      this.#begin(startStep, this.at(startStep));
    }
  }

  /** Batches of an epoch; Infinity while nothing tells. */
  get stepsPerEpoch(): number {
    return this.#stepsPerEpoch;
  }

  /** Where a step stands, in epochs of known length, with nothing known of the steps before it. */
  at(step: number): Progressed {
    const n = this.#stepsPerEpoch;
    const none = { examples: 0, sums: {} };
    return {
      epochs: Math.floor(step / n),
      steps: step % n,
      stepsPerEpoch: n,
      epoch: none,
      recent: none,
    };
  }

  /** Goes on where another run was, whose steps `trainStep` has been brought to. */
  goOn(step: number, progressed: Progressed): void {
    const { pending } = this.trainStep;
    if (step !== this.trainStep.next) {
      (this.trainStep as AccumulatedStep<B>).seek(step, pending);
    }
    if (!Number.isFinite(this.#stepsPerEpoch)) {
      this.#stepsPerEpoch = progressed.stepsPerEpoch ?? this.#stepsPerEpoch;
    }
    this.#begin(step, progressed);
  }

  #begin(step: number, { epochs, steps, epoch, recent }: Progressed): void {
    this.#step = step;
    this.#reader.skip(step);
    this.#epochs = epochs;
    this.#stepInEpoch = steps;
    this.#inEpoch = new Means(epoch);
    this.#recent = new Means(recent);
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

  /** Waits for the device where it is being made again. */
  async ready(): Promise<void> {
    await this.#watcher.device.recovering;
  }

  /** Waits until all steps are done, and tells where the run is. */
  async progressed(): Promise<Progressed> {
    this.#reader.flush(this.#step);
    const epoch = new Means(this.#inEpoch.sums);
    let recent = new Means(this.#recent.sums);
    for (const { records, examples, report } of await this.#reader.settle()) {
      this.#checkLosses(records, this.#epochs);
      epoch.add(records, examples);
      recent.add(records, examples);
      if (report) recent = new Means();
    }
    const stepsPerEpoch = Number.isFinite(this.#stepsPerEpoch) ? this.#stepsPerEpoch : null;
    return {
      epochs: this.#epochs,
      steps: this.#stepInEpoch,
      stepsPerEpoch,
      epoch: epoch.sums,
      recent: recent.sums,
    };
  }

  /** Frees what the steps hold. */
  async close(): Promise<void> {
    this.#watcher.close();
    await this.#reader.close();
    this.trainStep.dispose();
  }

  async *#epoch(epoch: number): AsyncGenerator<TrainEvent, void, undefined> {
    yield* this.#pause(epoch);
    const start = this.#pace.at(this.#step);
    this.#since = start;
    const done = this.#stepInEpoch; // by the run that this one goes on with
    let given = 0;
    for await (const batch of this.#batchesOf(epoch)) {
      const isSurplus = ++given > this.#stepsPerEpoch;
      if (this.stopped || isSurplus || given <= done) this.#release(batch);
      if (this.stopped) {
        yield* this.#account(epoch, true);
        return;
      }
      if (isSurplus) throw this.#otherCount(`more than ${this.#stepsPerEpoch} batches`, epoch);
      if (given <= done) continue;
      yield* this.#during(this.#advance(batch));
      // A step of a small net takes less time than a generator that has nothing to do.
      if (this.#dropped > 0 && (await this.#goBack())) return; // the loop begins the epoch again
      if (this.#reader.isDue) yield* this.#account(epoch, false);
      if (this.#measuresHere) {
        yield* this.#measureWithin(epoch);
        if (await this.#goBack()) return;
      }
      if (this.#options.control?.paused) yield* this.#pause(epoch);
    }
    this.#checkCount(given, epoch);
    this.#stepsPerEpoch = given;
    yield* this.#during(this.trainStep.flush?.());
    yield* this.#account(epoch, true);
    if (await this.#goBack()) return;
    const stepsPerSecond = paceBetween(start, this.#pace.at(this.#step));
    const measures = this.stopped ? null : yield* this.#during(measure(this.#op, this.#options));
    if (!measures) return;
    const { loss, metrics } = this.#inEpoch;
    this.#inEpoch = new Means();
    this.#epochs++;
    this.#stepInEpoch = 0;
    const means = { loss, ...(metrics && { metrics }) };
    yield { event: "epoch", epoch, step: this.#step, ...means, ...measures, stepsPerSecond };
  }

  /** Waits while the run is paused; what is under way is reported before. */
  async *#pause(epoch: number): AsyncGenerator<TrainEvent, void, undefined> {
    const { control, signal } = this.#options;
    if (!control?.paused) return;
    yield* this.#account(epoch, true);
    const begun = performance.now();
    while (control.paused && !this.stopped) yield* this.#during(control.ready(signal));
    this.#pace.restedSince(begun);
  }

  /** Whether the step that was made is one within an epoch after which is measured. */
  get #measuresHere(): boolean {
    const { measureEvery = Number.POSITIVE_INFINITY } = this.#options;
    const steps = this.#stepInEpoch;
    return steps % measureEvery === 0 && steps < this.#stepsPerEpoch;
  }

  async *#measureWithin(epoch: number): AsyncGenerator<TrainEvent, void, undefined> {
    yield* this.#account(epoch, true);
    const begun = performance.now();
    const measures = yield* this.#during(measure(this.#op, this.#options));
    if (measures) yield { event: "measure", epoch, step: this.#step, ...measures };
    this.#pace.restedSince(begun);
  }

  /** An epoch's batches; as many times nothing where the step finds them itself. */
  #batchesOf(epoch: number): AsyncIterable<B> | Iterable<B | undefined> {
    const { batches } = this;
    if (!batches.batchAt) return checkedBatches(this.#op, batches.epoch(epoch), epoch);
    return Array.from({ length: batches.stepsPerEpoch }, () => undefined);
  }

  /** Enqueues one step; the batch is no longer needed then. */
  async #advance(batch: B | undefined): Promise<void> {
    const examples = batch === undefined ? (this.batches.batchSize ?? 1) : examplesIn(batch);
    try {
      await this.trainStep(batch);
    } finally {
      this.#release(batch);
    }
    this.#step++;
    this.#stepInEpoch++;
    this.#options.control?.made?.();
    const { metricsEvery = 10 } = this.#options;
    this.#reader.push(this.#step, examples, this.#step % metricsEvery === 0);
  }

  /** Waits for work, and tells meanwhile what becomes of the device. */
  async *#during<T>(work: T | Promise<T>): AsyncGenerator<TrainEvent, T, undefined> {
    const { news } = this.#watcher;
    while (news.length > 0 || !(await this.#watcher.settles(work))) {
      for (const one of news.splice(0)) {
        if (one.event === "recovered") this.#dropped += one.dropped;
        const at = { epoch: this.#epochs, step: this.#step };
        yield one.event === "lost"
          ? { ...at, event: "deviceLost", message: one.message }
          : { ...one, ...at };
      }
    }
    return work;
  }

  /**
   * Goes back by the steps that went with a device for good; says whether the epoch has to be gone
   * through again, which batches in an order of their own cannot be.
   */
  async #goBack(): Promise<boolean> {
    const dropped = this.#dropped;
    if (dropped === 0) return false;
    this.#dropped = 0;
    await this.#reader.close();
    this.#step = this.trainStep.next;
    this.#reader.skip(this.#step);
    const isSeekable = Number.isFinite(this.batches.stepsPerEpoch) && !this.batches.batchAt;
    if (isSeekable) this.#stepInEpoch = Math.max(0, this.#stepInEpoch - dropped);
    return isSeekable;
  }

  #release(batch: B | undefined): void {
    if (this.batches.givesAway) release(batch);
  }

  /** Takes in the losses that must be read by now, or all of them, and reports steps. */
  async *#account(epoch: number, all: boolean): AsyncGenerator<TrainEvent, void, undefined> {
    if (all) this.#reader.flush(this.#step);
    for (;;) {
      const read = yield* this.#during(this.#reader.next(all));
      if (!read) return;
      this.#checkLosses(read.records, epoch);
      this.#recent.add(read.records, read.examples);
      this.#inEpoch.add(read.records, read.examples);
      if (read.report) yield this.#report(epoch, read);
    }
  }

  #checkLosses(records: LossWindow["records"], epoch: number): void {
    if (this.#options.onNonFinite === "ignore") return;
    checkLosses(this.#op, records, { epoch, stepsMade: this.#step });
  }

  #report(epoch: number, { step, time }: LossWindow): StepEvent {
    const steps = this.#options.epochs * this.#stepsPerEpoch;
    const now = this.#pace.at(step, time);
    const stepsPerSecond = paceBetween(this.#since, now);
    const { loss, metrics } = this.#recent;
    this.#recent = new Means();
    this.#since = now;
    const secondsLeft = (steps - step) / stepsPerSecond;
    const means = { loss, ...(metrics && { metrics }) };
    const captured = this.#options.capture && { captured: this.trainStep.captured() };
    return {
      event: "step",
      epoch,
      step,
      steps,
      ...means,
      stepsPerSecond,
      secondsLeft,
      ...captured,
    };
  }

  /** Throws unless steps can be begun with. */
  #checkStart(startStep: number, accumulate: number): void {
    if (startStep === 0) return;
    if (!Number.isFinite(this.#stepsPerEpoch)) {
      const given = `startStep ${startStep} with an iterable that does not tell its length`;
      throw new GradusError(`${this.#op}: ${given}; expected a list or a DataLoader`);
    }
    const inEpoch = startStep % this.#stepsPerEpoch;
    if (inEpoch % accumulate === 0) return;
    const given = `startStep ${startStep}, ${inEpoch} steps into an epoch`;
    throw new GradusError(
      `${this.#op}: ${given}, with accumulate ${accumulate}; expected a step at which a change ` +
        "begins. Use fit's resume, which restores the gradients that are pending",
    );
  }

  /** Throws when an epoch had fewer batches than it should. */
  #checkCount(given: number, epoch: number): void {
    if (given < this.#least) throw this.#otherCount(`${given} batches`, epoch);
  }

  /** How many batches an epoch has at the least: those that were trained on, and one at all. */
  get #least(): number {
    return Number.isFinite(this.#stepsPerEpoch)
      ? this.#stepsPerEpoch
      : Math.max(1, this.#stepInEpoch);
  }

  #otherCount(given: string, epoch: number): GradusError {
    const isKnown = Number.isFinite(this.#stepsPerEpoch);
    const rule = isKnown
      ? `${this.#stepsPerEpoch}, as many in each epoch`
      : `at least ${this.#least}`;
    return new GradusError(`${this.#op}: loader gave ${given} in epoch ${epoch}; expected ${rule}`);
  }
}
