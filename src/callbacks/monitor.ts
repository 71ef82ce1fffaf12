import {
  checkNotNegative,
  checkWords,
  describeValue,
  didYouMean,
  isInteger,
} from "../core/check.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import type { EpochEvent } from "../train/events.ts";

/**
 * A number of an epoch to watch: one that `train` reports, or a function of the report, such as
 * `({ validationMetrics }) => validationMetrics?.recall`.
 */
export type Monitor =
  | "loss"
  | "validationLoss"
  | "trainAccuracy"
  | "testAccuracy"
  | ((epoch: EpochEvent) => number | undefined);

/** Options of what watches a number of each epoch. */
export interface MonitorOptions {
  /** What is watched; `validationLoss` when left out. */
  monitor?: Monitor;
  /** Whether less or more is better; "max" for accuracies and "min" for the others when left out. */
  mode?: "min" | "max";
  /** How much better than the best an epoch must be to count, from 0; 0 when left out. */
  minDelta?: number;
}

/** The options of what watches a number, for `checkOptions`. */
export const MONITOR_OPTIONS = { monitor: true, mode: true, minDelta: true } as const;

const MONITORS: readonly string[] = ["loss", "validationLoss", "trainAccuracy", "testAccuracy"];

/** Throws a `GradusError`, as `op`, for a number that epochs do not have. */
export function checkMonitor(op: string, monitor: Monitor): void {
  if (typeof monitor === "function" || MONITORS.includes(monitor)) return;
  throw new GradusError(
    `${op}: monitor ${describeValue(monitor)}; expected ${MONITORS.join(", ")} or a function of ` +
      `the epoch${didYouMean(String(monitor), MONITORS)}`,
  );
}

/** Gives the watched number; throws a `GradusError`, as `op`, when the epoch lacks it. */
export function monitored(op: string, monitor: Monitor, epoch: EpochEvent): number {
  const value = typeof monitor === "function" ? monitor(epoch) : epoch[monitor];
  if (typeof value === "number") return value;
  const what = typeof monitor === "function" ? "number from its monitor" : monitor;
  throw new GradusError(
    `${op}: no ${what} in epoch ${epoch.epoch}; expected one. ` +
      "Give fit the data to measure it on, or watch another number",
  );
}

/** Remembers the best epoch. */
export class Best {
  /** The number of the best epoch so far; NaN before the first. */
  value = Number.NaN;
  /** The best epoch, from 0; −1 before the first. */
  epoch = -1;
  readonly #monitor: Monitor;
  readonly #sign: 1 | -1;
  readonly #minDelta: number;

  constructor(
    readonly op: string,
    { monitor = "validationLoss", mode, minDelta = 0 }: MonitorOptions,
  ) {
    checkMonitor(op, monitor);
    checkNotNegative(op, { minDelta });
    if (mode !== undefined) checkWords(op, { mode }, ["min", "max"]);
    const isAccuracy = monitor === "trainAccuracy" || monitor === "testAccuracy";
    const isMore = mode ? mode === "max" : isAccuracy;
    this.#monitor = monitor;
    this.#sign = isMore ? -1 : 1;
    this.#minDelta = minDelta;
  }

  /** Whether an epoch is better than all before; NaN never is. */
  improves(event: EpochEvent): boolean {
    const value = monitored(this.op, this.#monitor, event);
    if (Number.isNaN(value)) return false;
    const gain = this.#sign * (this.value - value);
    if (this.epoch >= 0 && !(gain > this.#minDelta)) return false;
    this.value = value;
    this.epoch = event.epoch;
    return true;
  }

  save(): { value: number; epoch: number } {
    return { value: this.value, epoch: this.epoch };
  }

  /** Takes back what `save` gave; throws a `FormatError`, as `op`, for anything else. */
  restore({ value, epoch }: { value: number; epoch: number }): void {
    if (typeof value !== "number" || !isInteger(epoch, -1)) {
      const given = `best ${typeof value} of epoch ${epoch}`;
      throw new FormatError(`${this.op}: ${given} in a checkpoint; expected a number of an epoch`);
    }
    this.value = value;
    this.epoch = epoch;
  }

  /** Forgets the best epoch. */
  clear(): void {
    this.value = Number.NaN;
    this.epoch = -1;
  }
}
