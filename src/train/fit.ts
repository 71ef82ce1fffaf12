import { type HasState, loadCheckpoint, saveCheckpoint } from "../io/checkpoint.ts";
import type { Module } from "../nn/module.ts";
import type { Callback, Run } from "./callback.ts";
import type { EpochEvent, TrainEvent } from "./events.ts";
import { checkRun, type TrainOptions } from "./train.ts";
import { type Progressed, Training } from "./training.ts";

/** Options of `fit`. */
export interface FitOptions<M extends Module, B extends Disposable>
  extends Omit<TrainOptions<M, B>, "startStep"> {
  /** Told how training goes, in this order; they may stop and save it. */
  callbacks?: readonly Callback[];
  /** What else changes with the run and is to be in its checkpoints, such as a loss with states. */
  extra?: Readonly<Record<string, HasState>>;
  /** A checkpoint of such a run, from which it goes on; from the start when null or left out. */
  resume?: Uint8Array | ArrayBuffer | null;
}

/** What a run has come to. */
export interface FitResult {
  /** A report of each epoch, those before it was resumed among them. */
  readonly history: readonly EpochEvent[];
  /** Steps made, those before among them. */
  readonly step: number;
  /** Whether a callback or a signal ended it before its last epoch. */
  readonly stopped: boolean;
}

/**
 * Trains a model for some epochs, lets callbacks take part, and gives the history.
 *
 * A run that goes on from a checkpoint ends with the very bits of one that was not interrupted,
 * given the same options and callbacks.
 * @throws what `train`, `loadCheckpoint` and the callbacks throw.
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
export async function fit<M extends Module, B extends Disposable>(
  options: FitOptions<M, B>,
): Promise<FitResult> {
  checkRun(options);
  const fitting = new Fitting(options);
  try {
    return await fitting.run(options.resume);
  } finally {
    await fitting.close();
  }
}

/** What a checkpoint keeps beside the states. */
interface Kept {
  readonly history: EpochEvent[];
  readonly progressed: Progressed;
  readonly callbacks: Readonly<Record<string, unknown>>;
}

class Fitting<M extends Module, B extends Disposable> implements Run {
  readonly #options: FitOptions<M, B>;
  readonly #training: Training<M, B>;
  readonly #callbacks: readonly Callback[];
  readonly #history: EpochEvent[] = [];
  #stops = false;

  constructor(options: FitOptions<M, B>) {
    const { callbacks = [] } = options;
    this.#options = options;
    this.#training = new Training(options);
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
    return this.#options.loader.stepsPerEpoch;
  }
  get step(): number {
    return this.#training.trainStep.next;
  }
  get history(): readonly EpochEvent[] {
    return this.#history;
  }
  get interrupted(): boolean {
    return this.#training.stopped && !this.#training.ended;
  }

  async run(resume?: Uint8Array | ArrayBuffer | null): Promise<FitResult> {
    for (const callback of this.#callbacks) await callback.onStart?.(this);
    if (resume) this.#resume(resume);
    for await (const event of this.#training.run()) {
      await this.#tell(event);
      if (this.#stops) break;
    }
    for (const callback of this.#callbacks) await callback.onEnd?.(this);
    return { history: this.#history, step: this.step, stopped: !this.#training.ended };
  }

  stop(): void {
    this.#stops = true;
  }

  async checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    const saved = this.#named().map(([name, callback]) => [name, callback.save?.() ?? null]);
    const kept: Kept = {
      history: this.#history,
      progressed: await this.#training.progressed(),
      callbacks: Object.fromEntries(saved),
    };
    return saveCheckpoint(this.#parts(), kept);
  }

  async close(): Promise<void> {
    for (const callback of this.#callbacks) callback.dispose?.();
    await this.#training.close();
  }

  async #tell(event: TrainEvent): Promise<void> {
    if (event.event === "epoch") this.#history.push(event);
    for (const callback of this.#callbacks) {
      if (event.event === "epoch") await callback.onEpoch?.(event, this);
      else await callback.onStep?.(event, this);
    }
  }

  #resume(bytes: Uint8Array | ArrayBuffer): void {
    const { step, values } = loadCheckpoint(this.#parts(), bytes);
    const { history = [], progressed, callbacks = {} } = (values ?? {}) as Partial<Kept>;
    this.#history.push(...history);
    this.#training.goOn(step, progressed);
    for (const [name, callback] of this.#named()) {
      if (callbacks[name] !== undefined) callback.restore?.(callbacks[name]);
    }
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
