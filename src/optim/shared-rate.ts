import { describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { list } from "../core/quote.ts";
import type { Schedule } from "./learning-rate.ts";

/** What may have a step size. */
interface MayHaveRate {
  learningRate?: number | Schedule;
}

/** The step size that all have; undefined where they differ or one has none. */
export function rateOf(holders: readonly MayHaveRate[]): number | Schedule | undefined {
  const rates = new Set(holders.map(({ learningRate }) => learningRate));
  return rates.size === 1 ? holders[0].learningRate : undefined;
}

/** Sets the step size of all; throws a `GradusError`, as `op`, where they have not one for all. */
export function setRateOf(op: string, holders: readonly MayHaveRate[], value: number): void {
  const [one] = holders;
  const hasOne = rateOf(holders) !== undefined || (holders.length === 1 && "learningRate" in one);
  if (!hasOne) {
    const rates = holders.map(({ learningRate: rate }) => (rate === undefined ? "none" : rate));
    const own = rates.map((rate) => (typeof rate === "string" ? rate : describeValue(rate)));
    throw new GradusError(
      `${op}: learningRate ${describeValue(value)} over ${list(own)}; expected one that all have. ` +
        "Set that of each optimizer",
    );
  }
  for (const holder of holders) holder.learningRate = value;
}
