import { NonFiniteError } from "../core/faults.ts";
import type { StepRecord } from "./train-step.ts";

/** What happens when a loss is NaN or infinite. */
export type OnNonFinite = "stop" | "ignore";

/** Where a loss was not finite. */
export interface NonFinitePlace {
  /** The step whose loss it is, counted from 1 over all epochs, as reports count. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  /** NaN or an infinity. */
  readonly loss: number;
  /** Steps that had been made when the loss was read, which is some steps behind. */
  readonly stepsMade: number;
}

/**
 * Thrown by `fit` and `train` when a loss is NaN or infinite. Which op made it is not known: under
 * `debug` there is a `NonFiniteError` of that op instead.
 */
export class NonFiniteLossError extends NonFiniteError implements NonFinitePlace {
  override name = "NonFiniteLossError";
  readonly epoch: number;
  readonly loss: number;
  readonly stepsMade: number;

  constructor(caller: string, { step, epoch, loss, stepsMade }: NonFinitePlace) {
    const read = stepsMade > step ? `, read after step ${stepsMade}` : "";
    super(
      `${caller}: loss ${loss} at step ${step} in epoch ${epoch}${read}; expected a finite number. ` +
        'Lower the learning rate, clip the gradients, or go on with onNonFinite: "ignore"',
      { op: "loss", place: "loss", step, site: null, inputs: [] },
    );
    this.epoch = epoch;
    this.loss = loss;
    this.stepsMade = stepsMade;
  }
}

/** Throws a `NonFiniteLossError`, as `op`, for the first loss of some steps that is not finite. */
export function checkLosses(
  op: string,
  records: readonly StepRecord[],
  place: Pick<NonFinitePlace, "epoch" | "stepsMade">,
): void {
  const found = records.find(({ loss }) => !Number.isFinite(loss));
  if (found) throw new NonFiniteLossError(op, { ...place, step: found.step + 1, loss: found.loss });
}
