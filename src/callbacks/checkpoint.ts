import { checkOptions, describeValue, isInteger } from "../core/check.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import type { Store } from "../io/stores.ts";
import { saveSafetensors } from "../io/weights.ts";
import type { Callback, Run } from "../train/callback.ts";
import { checkMethods } from "../train/check-options.ts";
import type { EpochEvent, StepEvent } from "../train/events.ts";
import { Best, MONITOR_OPTIONS, type MonitorOptions } from "./monitor.ts";

/** Options of `Checkpoint`. */
export interface CheckpointOptions extends MonitorOptions {
  /** Where the run is saved, for `fit`'s `resume`. */
  to?: Store;
  /** How often, from 1: epochs, or steps; each epoch when left out. */
  every?: { readonly epochs: number } | { readonly steps: number };
  /** Where the model's states are saved whenever `monitor` says that an epoch is the best so far. */
  best?: Store;
}

/** Where a run was when it was saved last. */
interface SavedRun {
  readonly step: number;
  readonly epochs: number;
  /** Whether it had ended, other than by a signal. */
  readonly ended: boolean;
}

/**
 * Saves a run now and then and where it ends, so that it can be resumed, and its best model.
 *
 * Between epochs it saves on the first `step` event that is due, at the step that has been made by
 * then. A run that ends is saved with that, so that it does not begin again when it is resumed.
 * @throws GradusError for unknown options and numbers out of range, or without `to` and `best`; what
 * the stores throw.
 * @example
 * const to = fileStore("runs/digits.checkpoint");
 * const callbacks = [new Checkpoint({ to, every: { steps: 500 } })];
 * await fit({ ...settings, callbacks, resume: await to.read() });
 */
export class Checkpoint implements Callback {
  readonly name = "checkpoint";
  readonly isLast = true;
  readonly #to: Store | undefined;
  readonly #bestTo: Store | undefined;
  readonly #every: { readonly epochs?: number; readonly steps?: number };
  readonly #best: Best;
  #saved: SavedRun = NOTHING;

  constructor(options: CheckpointOptions) {
    checkOptions<CheckpointOptions>("Checkpoint", options, {
      ...MONITOR_OPTIONS,
      to: true,
      every: true,
      best: true,
    });
    const { to, best, every = { epochs: 1 } } = options;
    if (!to && !best) throw new GradusError("Checkpoint: no store; expected to or best");
    for (const store of [to, best]) {
      if (store) checkMethods("Checkpoint", { store }, ["read", "write"], STORE);
    }
    checkEvery(every);
    this.#to = to;
    this.#bestTo = best;
    this.#every = every;
    this.#best = new Best("Checkpoint", options);
  }

  onStart(): void {
    this.#saved = NOTHING;
    this.#best.clear();
  }

  async onStep(_: StepEvent, run: Run): Promise<void> {
    const { steps = Number.POSITIVE_INFINITY } = this.#every;
    if (hasEnded(run) || run.step - this.#saved.step >= steps) await this.#save(run);
  }

  async onEpoch(event: EpochEvent, run: Run): Promise<void> {
    if (this.#bestTo && this.#best.improves(event)) {
      await this.#bestTo.write(await saveSafetensors(run.model));
    }
    const { steps = Number.POSITIVE_INFINITY, epochs = Number.POSITIVE_INFINITY } = this.#every;
    const isDue =
      run.step - this.#saved.step >= steps || event.epoch + 1 - this.#saved.epochs >= epochs;
    if (isDue || hasEnded(run)) await this.#save(run);
  }

  async onEnd(run: Run): Promise<void> {
    const { step, ended } = this.#saved;
    const isSaved = run.step === step && (ended || !hasEnded(run));
    if (run.step > 0 && !isSaved) await this.#save(run);
  }

  save(): { value: number; epoch: number; saved: SavedRun } {
    return { ...this.#best.save(), saved: this.#saved };
  }

  restore(given: unknown): void {
    const { saved, value, epoch } = (given ?? {}) as ReturnType<Checkpoint["save"]>;
    const { step, epochs, ended } = saved ?? {};
    if (![step, epochs].every((x) => isInteger(x, 0)) || typeof ended !== "boolean") {
      const what = `last save at step ${step} of epoch ${epochs}`;
      throw new FormatError(`Checkpoint: ${what} in a checkpoint; expected integers from 0`);
    }
    this.#best.restore({ value, epoch });
    this.#saved = { step, epochs, ended };
  }

  async #save(run: Run): Promise<void> {
    if (!this.#to) return;
    const epochs = (run.history.at(-1)?.epoch ?? -1) + 1;
    this.#saved = { step: run.step, epochs, ended: hasEnded(run) };
    await this.#to.write(await run.checkpoint());
  }
}

const STORE = "a store, such as fileStore(path) of gradus/io";

const NOTHING: SavedRun = { step: 0, epochs: 0, ended: false };

function hasEnded({ end }: Run): boolean {
  return end !== null && end.by !== "signal";
}

function checkEvery(every: { readonly epochs?: number; readonly steps?: number }): void {
  checkOptions<Required<typeof every>>("Checkpoint: every", every as Required<typeof every>, {
    epochs: true,
    steps: true,
  });
  const [entry, ...more] = Object.entries(every);
  if (!entry || more.length > 0) {
    const given = entry ? "both epochs and steps" : "{}";
    throw new GradusError(`Checkpoint: every ${given}; expected either epochs or steps`);
  }
  const [unit, count] = entry;
  if (isInteger(count, 1)) return;
  throw new GradusError(
    `Checkpoint: every ${describeValue(count)} ${unit}; expected an integer from 1`,
  );
}
