import { GradusError } from "../core/errors.ts";
import type { Store } from "../io/stores.ts";
import { saveSafetensors } from "../io/weights.ts";
import type { Callback, Run } from "./callback.ts";
import type { EpochEvent, StepEvent } from "./events.ts";
import { Best, type MonitorOptions } from "./monitor.ts";

/** Options of `Checkpoint`. */
export interface CheckpointOptions extends MonitorOptions {
  /** Where the run is saved, for `fit`'s `resume`. */
  to?: Store;
  /** How often, from 1: epochs, or steps; each epoch when left out. */
  every?: { readonly epochs: number } | { readonly steps: number };
  /** Where the model's states are saved whenever `monitor` says that an epoch is the best so far. */
  best?: Store;
}

/**
 * Saves a run now and then, so that it can be resumed, and its best model.
 *
 * Between epochs it saves on the first `step` event that is due, at the step that has been made by
 * then. A run that a signal stops is saved once more.
 * @throws GradusError for numbers out of range, or without `to` and `best`; what the stores throw.
 * @example
 * const to = fileStore("runs/digits.checkpoint");
 * const callbacks = [new Checkpoint({ to, every: { steps: 500 } })];
 * await fit({ ..., callbacks, resume: await to.read() });
 */
export class Checkpoint implements Callback {
  readonly name = "checkpoint";
  readonly isLast = true;
  readonly #options: CheckpointOptions;
  readonly #best: Best;
  /** The step that was saved last. */
  #saved = 0;

  constructor(options: CheckpointOptions) {
    const { to, best, every = { epochs: 1 } } = options;
    if (!to && !best) throw new GradusError("Checkpoint: no store; expected to or best");
    const [[unit, count]] = Object.entries(every);
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new GradusError(`Checkpoint: every ${count} ${unit}; expected an integer from 1`);
    }
    this.#options = { ...options, every };
    this.#best = new Best("Checkpoint", options);
  }

  onStart(): void {
    this.#saved = 0;
    this.#best.restore({ value: Number.NaN, epoch: -1 });
  }

  async onStep(_: StepEvent, run: Run): Promise<void> {
    const { every } = this.#options;
    if (every && "steps" in every && run.step - this.#saved >= every.steps) await this.#save(run);
  }

  async onEpoch(event: EpochEvent, run: Run): Promise<void> {
    const { best, every = { epochs: 1 } } = this.#options;
    if (best && this.#best.improves(event)) await best.write(await saveSafetensors(run.model));
    const steps = "steps" in every ? every.steps : every.epochs * run.stepsPerEpoch;
    if (run.step - this.#saved >= steps) await this.#save(run);
  }

  async onEnd(run: Run): Promise<void> {
    if (run.interrupted && run.step !== this.#saved) await this.#save(run);
  }

  save(): { value: number; epoch: number; saved: number } {
    return { ...this.#best.save(), saved: this.#saved };
  }

  restore(given: unknown): void {
    const { saved, ...best } = given as ReturnType<Checkpoint["save"]>;
    this.#best.restore(best);
    this.#saved = saved;
  }

  async #save(run: Run): Promise<void> {
    if (!this.#options.to) return;
    this.#saved = run.step;
    await this.#options.to.write(await run.checkpoint());
  }
}
