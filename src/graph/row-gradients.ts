import type { State } from "./state.ts";
import type { Tensor } from "./tensor.ts";

/** Gives one limited gradient for each gradient. */
type Limit = (gradients: readonly Tensor[]) => readonly Tensor[];

/** What an optimizer tells of itself where gradients are of rows. */
export interface RowUpdate {
  /** How messages call it. */
  readonly kind: string;
  readonly parameters: readonly State[];
  /** Whether a row and its slots may stay as they are where the gradient has none for it. */
  readonly isRowwise: boolean;
  /** What else it keeps of each parameter, in the parameters' shapes. */
  readonly slots: readonly (readonly State[])[];
  readonly clip: Limit;
  /** Gives new values of parameters and slots for limited gradients, one for each parameter. */
  next(gradients: readonly Tensor[]): readonly (readonly [State, Tensor])[];
}

/** What is done with gradients that are zero but for some rows, without making them. */
export interface RowGradients {
  /** Adds gradients of one tensor, one or more; null unless all are of rows. */
  sum(terms: readonly Tensor[]): Tensor | null;
  /** Lets gradients be limited by what sees, of those that are of rows, each row once. */
  limit(limit: Limit, gradients: readonly Tensor[]): readonly Tensor[];
  /** Gives what an optimizer assigns; of parameters with such gradients, and their slots, rows only. */
  assignments(of: RowUpdate, gradients: readonly Tensor[]): readonly (readonly [State, Tensor])[];
}
