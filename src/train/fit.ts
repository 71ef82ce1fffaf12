import { checkOptions, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { type HasState, restoreCheckpoint, saveCheckpoint } from "../io/checkpoint.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Callback, Run, RunEnd } from "./callback.ts";
import { checkCallbacks, checkMethods, TRAIN_OPTIONS } from "./check-options.ts";
import type { EpochEvent, TrainEvent } from "./events.ts";
import { checkFingerprint, fingerprintOf } from "./fingerprint.ts";
import { checkKept, checkPlace, hasNames, type Kept } from "./kept.ts";
import { checkRun, type TrainOptions } from "./train-options.ts";
import { type Progressed, Training } from "./training.ts";

/** Options of `fit`. */
export interface FitOptions<M extends AnyModule, B> extends Omit<TrainOptions<M, B>, "startStep"> {
  /** Told how training goes, in this order; they may stop and save it. */
  callbacks?: readonly Callback[];
  /** What else changes with the run and is to be in its checkpoints, such as a loss with states. */
  extra?: Readonly<Record<string, HasState>>;
  /** A checkpoint of such a run, from which it goes on; from the start when null or left out. */
  resume?: Uint8Array | ArrayBuffer | null;
  /**
   * What may be otherwise than in the run that is resumed, such as `["seed", "batchSize"]`: names of
   * the loader's `fingerprint` (for a `DataLoader` seed, batchSize, size, shuffle, replacement and
   * dropLast; for a list stepsPerEpoch), `optimizer`, its kind, and `accumulate`. Nothing when left
   * out.
   */
  allowMismatch?: readonly string[];
  /** Whether a resumed run goes on that a callback has ended; false when left out. */
  ignoreStop?: boolean;
}

/** What a run has come to. */
export interface FitResult {
  /** A report of each epoch, those before it was resumed among them. */
  readonly history: readonly EpochEvent[];
  /** Steps made, those before among them. */
  readonly step: number;
  /** Whether a callback or a signal ended it before its last epoch. */
  readonly stopped: boolean;
  /** What ended it. */
  readonly end: RunEnd;
}

/**
 * Trains a model for some epochs, lets callbacks take part, and gives the history.
 *
 * A run that goes on from a checkpoint ends with the very bits of one that was not interrupted,
 * given the same options and callbacks, on a device that is not changed by time (`reproducible` of
 * `init`). One that had ended stays so: that a callback ended it holds for any number of `epochs`,
 * unless `ignoreStop` is set; one that came to its last epoch goes on when there are to be more. A
 * checkpoint is checked as a whole before anything changes.
 * @throws GradusError for unknown options, and for a checkpoint of a run with another `fingerprint`;
 * FormatError for one that is damaged; what `train`, `loadCheckpoint` and the callbacks throw.
 * @example
 * const { history } = await fit({
 *   model,
 *   optimizer: new Adam(model.parameters(), { learningRate: 0.001 }),
 *   loss: (net, { images, labels }) => crossEntropy(net.call(images), labels),
 *   loader: new DataLoader({ dataset, batchSize: 100, seed: 1 }),
 *   epochs: 20,
 *   validationData,
 *   callbacks: [new EarlyStopping({ patience: 3, restoreBest: true })],
 * });
 */
export async function fit<M extends AnyModule, B>(options: FitOptions<M, B>): Promise<FitResult> {
  checkFit(options);
  const fitting = new Fitting(options);
  try {
    return await fitting.run(options.resume);
  } finally {
    await fitting.close();
  }
}

class Fitting<M extends AnyModule, B> implements Run {
  readonly #options: FitOptions<M, B>;
  readonly #training: Training<M, B>;
  readonly #callbacks: readonly Callback[];
  readonly #history: EpochEvent[] = [];
  /** That a callback ended the run. */
  #stop: RunEnd | null = null;

  constructor(options: FitOptions<M, B>) {
    const { callbacks = [] } = options;
    this.#options = options;
    this.#training = new Training("fit", options);
    const isLast = (callback: Callback) => callback.isLast ?? false;
    this.#callbacks = [...callbacks.filter((x) => !isLast(x)), ...callbacks.filter(isLast)];
  }

  get model(): M {
    return this.#options.model;
  }
  get epochs(): number {
    return this.#options.epochs;
  }
  get stepsPerEpoch(): number {
    return this.#training.stepsPerEpoch;
  }
  get step(): number {
    return this.#training.trainStep.next;
  }
  get history(): readonly EpochEvent[] {
    return this.#history;
  }
  get end(): RunEnd | null {
    if (this.#stop) return this.#stop;
    if (this.#training.ended) return { by: "epochs" };
    return this.#training.stopped ? { by: "signal" } : null;
  }
  get interrupted(): boolean {
    return this.end?.by === "signal";
  }

  async run(resume?: Uint8Array | ArrayBuffer | null): Promise<FitResult> {
    for (const callback of this.#callbacks) {
      await this.#training.ready();
      await callback.onStart?.(this);
    }
    if (resume) this.#resume(resume);
    if (!this.#stop) await this.#train();
    for (const callback of this.#callbacks) {
      await this.#training.ready();
      await callback.onEnd?.(this);
    }
    const end = this.end as RunEnd;
    return { history: this.#history, step: this.step, stopped: !this.#training.ended, end };
  }

  stop(reason?: string): void {
    this.#stop ??= { by: "callback", ...(reason !== undefined && { reason: String(reason) }) };
  }

  async checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    const saved = this.#named().map(([name, callback]) => [name, callback.save?.() ?? null]);
    const { end } = this;
    const kept: Kept = {
      history: this.#history,
      progressed: await this.#training.progressed(),
      callbacks: Object.fromEntries(saved),
      end: end?.by === "signal" ? null : end,
      fingerprint: this.#fingerprint(),
    };
    return saveCheckpoint(this.#parts(), kept);
  }

  async close(): Promise<void> {
    const free = async (callback: Callback) => callback.dispose?.();
    const ended = await Promise.allSettled(this.#callbacks.map(free));
    await this.#training.close();
    for (const result of ended) if (result.status === "rejected") throw result.reason;
  }

  async #train(): Promise<void> {
    for await (const event of this.#training.run()) {
      if (event.event === "epoch") this.#history.push(event);
      for (const callback of this.#callbacks) {
        if (event.event !== "deviceLost") await this.#training.ready();
        await tell(callback, event, this);
      }
      if (this.#stop) return;
    }
  }

  /** Takes back what a checkpoint holds; checks all of it before anything changes. */
  #resume(bytes: Uint8Array | ArrayBuffer): void {
    let found: { step: number; progressed: Progressed; kept: Kept | null } | undefined;
    restoreCheckpoint("fit", this.#parts(), bytes, ({ step, values }) => {
      const kept = values === null ? null : this.#checkKept(values);
      found = { ...this.#placeOf(step, kept), kept };
      return () => {
        for (const [name, callback] of this.#named()) {
          if (kept && Object.hasOwn(kept.callbacks, name)) callback.restore?.(kept.callbacks[name]);
        }
      };
    });
    const { step, progressed, kept } = found as NonNullable<typeof found>;
    this.#history.push(...(kept?.history ?? []));
    this.#training.goOn(step, progressed);
    if (kept?.end?.by === "callback" && !this.#options.ignoreStop) this.#stop = kept.end;
  }

  #checkKept(values: unknown): Kept {
    const { allowMismatch = [] } = this.#options;
    const kept = checkKept("fit", values, this.#names());
    checkFingerprint("fit", kept.fingerprint, this.#fingerprint(), allowMismatch);
    return kept;
  }

  /** The step to go on at, and where it stands. */
  #placeOf(step: number, kept: Kept | null): { step: number; progressed: Progressed } {
    if (!kept) {
      if (Number.isFinite(this.stepsPerEpoch)) return { step, progressed: this.#training.at(step) };
      throw new GradusError(
        "fit: a checkpoint that tells of no epochs, with an iterable that does not tell its " +
          "length; expected a list or a DataLoader",
      );
    }
    const { allowMismatch = [] } = this.#options;
    const own = { stepsPerEpoch: this.stepsPerEpoch, mayDiffer: allowMismatch.length > 0 };
    const { recent, ...progressed } = kept.progressed;
    // Between epochs other metrics may be watched.
    const isSame = hasNames(recent, this.#names());
    const going = { ...progressed, recent: isSame ? recent : { examples: 0, sums: {} } };
    return { step: checkPlace("fit", step, kept, own), progressed: going };
  }

  /** Of the loss and the metrics. */
  #names(): string[] {
    return ["loss", ...Object.keys(this.#options.metrics ?? {})];
  }

  #fingerprint() {
    const { optimizer, accumulate = 1 } = this.#options;
    return fingerprintOf(this.#training.batches, optimizer.kind, accumulate);
  }

  #parts() {
    const { model, optimizer, extra } = this.#options;
    const callbacks = this.#named().map(([name, callback]) => {
      return [`callbacks.${name}`, { state: () => callback.state?.() ?? new Map() }] as const;
    });
    const all = { ...extra, ...Object.fromEntries(callbacks) };
    return { model, optimizer, step: this.#training.trainStep, extra: all };
  }

  /** The callbacks to be kept, each with a name of its own. */
  #named(): [string, Callback][] {
    const counts = new Map<string, number>();
    return this.#callbacks.flatMap((callback): [string, Callback][] => {
      const { name } = callback;
      if (name === undefined) return [];
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return [[count === 0 ? name : `${name}${count + 1}`, callback]];
    });
  }
}

async function tell(callback: Callback, event: TrainEvent, run: Run): Promise<void> {
  if (event.event === "epoch") await callback.onEpoch?.(event, run);
  else if (event.event === "step") await callback.onStep?.(event, run);
  else if (event.event === "measure") await callback.onMeasure?.(event, run);
  else if (event.event === "deviceLost") await callback.onDeviceLost?.(event, run);
  else if (event.event === "recovered") await callback.onRecovered?.(event, run);
  else await callback.onDeviceChosen?.(event, run);
}

function checkFit<M extends AnyModule, B>(options: FitOptions<M, B>): void {
  const { startStep: _, ...known } = TRAIN_OPTIONS;
  checkOptions<FitOptions<M, B>>("fit", options, {
    ...known,
    callbacks: true,
    extra: true,
    resume: true,
    allowMismatch: true,
    ignoreStop: "boolean",
  });
  checkRun("fit", options);
  const { callbacks = [], extra = {}, resume, allowMismatch = [] } = options;
  checkCallbacks("fit", callbacks);
  checkMethods("fit", extra, ["state"], "something with state(), such as a Module");
  if (!Array.isArray(allowMismatch)) {
    throw new GradusError(
      `fit: allowMismatch ${describeValue(allowMismatch)}; expected a list of names`,
    );
  }
  const isBuffer = kindOf(resume) === "ArrayBuffer";
  if (resume === undefined || resume === null || ArrayBuffer.isView(resume) || isBuffer) return;
  throw new GradusError(
    `fit: resume ${describeValue(resume)}; expected the bytes of a checkpoint, or null. ` +
      "Give what a store's read() gives",
  );
}
