import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { sum } from "../ops/broadcast.ts";
import { mean } from "../ops/reduce.ts";

/** How the losses of single examples become the result: their mean, their sum, or as they are. */
export type Reduction = "mean" | "sum" | "none";

/** Options that every loss has. */
export interface LossOptions {
  /** `mean` when left out. */
  reduction?: Reduction;
}

const REDUCERS: Record<Reduction, (losses: Tensor) => Tensor> = {
  mean: (losses) => mean(losses),
  sum: (losses) => sum(losses),
  none: (losses) => losses,
};

/** Reduces single losses; throws a `GradusError` for an unknown reduction. */
export function reduceLosses(op: string, losses: Tensor, options: LossOptions): Tensor {
  const { reduction = "mean" } = options;
  if (!Object.hasOwn(REDUCERS, reduction)) {
    throw new GradusError(
      `${op}: reduction ${JSON.stringify(reduction)}; expected mean, sum, none`,
    );
  }
  return REDUCERS[reduction](losses);
}
