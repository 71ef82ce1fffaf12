import { checkOptions, checkSteps, isInteger } from "../core/check.ts";
import { FormatError } from "../core/errors.ts";
import type { State } from "../graph/state.ts";
import type { Callback, Run } from "../train/callback.ts";
import type { EpochEvent } from "../train/events.ts";
import { BestWeights } from "./best-weights.ts";
import { Best, MONITOR_OPTIONS, type MonitorOptions } from "./monitor.ts";

/** Options of `EarlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs in a row without a better one after which training stops, from 1; 3 when left out. */
  patience?: number;
  /** Whether the model has the best epoch's states at the end; false when left out. */
  restoreBest?: boolean;
}

interface BestSoFar {
  readonly value: number;
  readonly epoch: number;
  readonly wait: number;
}

/**
 * Stops training when a number, such as the loss on held-out examples, no longer gets better.
 *
 * With `restoreBest` a copy of the best states is kept on the device and restored when training has
 * ended for whatever reason but a signal. Source: Prechelt 1998, "Early stopping – but when?", whose
 * criterion UP it generalizes by `minDelta`.
 * @throws GradusError for unknown options and numbers out of range, and in training when an epoch lacks the number.
 * @example
 * await fit({ ...settings, validationData, callbacks: [new EarlyStopping({ patience: 5, restoreBest: true })] });
 */
export class EarlyStopping implements Callback {
  readonly name = "earlyStopping";
  readonly patience: number;
  readonly #best: Best;
  readonly #restores: boolean;
  #wait = 0;
  #weights: BestWeights | null = null;

  constructor(options: EarlyStoppingOptions = {}) {
    checkOptions<EarlyStoppingOptions>("EarlyStopping", options, {
      ...MONITOR_OPTIONS,
      patience: "number",
      restoreBest: "boolean",
    });
    const { patience = 3, restoreBest = false } = options;
    checkSteps("EarlyStopping", { patience });
    this.patience = patience;
    this.#restores = restoreBest;
    this.#best = new Best("EarlyStopping", options);
  }

  /** The best epoch so far, from 0; −1 before the first. */
  get bestEpoch(): number {
    return this.#best.epoch;
  }

  /** The watched number in the best epoch. */
  get bestValue(): number {
    return this.#best.value;
  }

  onStart({ model }: Run): void {
    this.#wait = 0;
    this.#best.clear();
    if (this.#restores) this.#weights = new BestWeights(model);
  }

  onEpoch(event: EpochEvent, run: Run): void {
    if (this.#best.improves(event)) {
      this.#wait = 0;
      this.#weights?.keep();
    } else if (++this.#wait >= this.patience) {
      const { epoch, value } = this.#best;
      run.stop(`EarlyStopping: no epoch better than ${epoch}, with ${value}, in ${this.#wait}`);
    }
  }

  onEnd({ interrupted }: Run): void {
    if (!interrupted && this.#best.epoch >= 0) this.#weights?.restore();
  }

  dispose(): void {
    this.#weights?.dispose();
    this.#weights = null;
  }

  save(): BestSoFar {
    return { ...this.#best.save(), wait: this.#wait };
  }

  restore(saved: unknown): void {
    const { wait, value, epoch } = (saved ?? {}) as BestSoFar;
    if (!isInteger(wait, 0)) {
      throw new FormatError(
        `EarlyStopping: wait ${wait} in a checkpoint; expected an integer from 0`,
      );
    }
    this.#best.restore({ value, epoch });
    this.#wait = wait;
  }

  state(): ReadonlyMap<string, State> {
    return this.#weights?.state() ?? new Map();
  }
}
