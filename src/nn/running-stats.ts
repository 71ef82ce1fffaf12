import { checkEach } from "../core/check.ts";
import type { Shape } from "../core/shape.ts";
import { assignAll, State } from "../graph/state.ts";
import { evaluate, type Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { ones, tensor, zeros } from "../ops/creation.ts";
import type { NormSettings } from "./scale.ts";

/** Statistics that a layer keeps for evaluation; all null unless it does. */
export interface RunningStats {
  readonly runningMean: State | null;
  readonly runningVar: State | null;
  readonly numBatchesTracked: State | null;
}

/** Throws a `GradusError` unless momentum is a number from 0 to 1, or null. */
export function checkMomentum(name: string, momentum: number | null): void {
  const holds = (n: unknown) => n === null || (typeof n === "number" && n >= 0 && n <= 1);
  checkEach(name, { momentum }, holds, "a number from 0 to 1, or null");
}

/** Makes statistics of no batches yet: means 0 and variances 1. */
export function runningStats(
  isKept: boolean,
  shape: Shape,
  { device, dtype }: NormSettings,
): RunningStats {
  const state = (name: string, theirs: string, x: () => Tensor, optional = false) => {
    return isKept ? new State(x(), { name, pytorch: { name: theirs, optional } }) : null;
  };
  const count = () => tensor(0, { dtype: "i32", device });
  return {
    runningMean: state("runningMean", "running_mean", () => zeros(shape, { device, dtype })),
    runningVar: state("runningVar", "running_var", () => ones(shape, { device, dtype })),
    numBatchesTracked: state("numBatchesTracked", "num_batches_tracked", count, true),
  };
}

/**
 * Takes a batch's statistics into the running ones: (1 − share) · running + share · own, and assigns others
 * with them.
 */
export function trackStats(
  x: Tensor,
  pairs: readonly (readonly [running: State, own: Tensor])[],
  share: number | Tensor,
  others: readonly (readonly [State, Tensor])[] = [],
): void {
  const rest = typeof share === "number" ? 1 - share : sub(1, share);
  // Step by step, what x is made of is not computed again for what follows.
  if (x.node.tracked) evaluate(x);
  const mixed = pairs.map(([running, own]) => {
    return [running, add(mul(running, rest), mul(own, share))] as const;
  });
  assignAll([...mixed, ...others]);
}
