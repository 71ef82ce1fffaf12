import { GradusError } from "./errors.ts";

/** Where `debug` found a value that is not as it should be. */
export interface Fault {
  /** The op that computed it, such as `log`, or took it, such as `gather`. */
  readonly op: string;
  /**
   * Its place in the model, `hidden.log`: the way to the module that was being called, then the op.
   * `hidden.log (gradient)` is in that op's gradient, `Adam: hidden.weight` in an optimizer's step.
   */
  readonly place: string;
  /** The step of training, or else the call of a compiled function or the evaluation, from 1. */
  readonly step: number;
  /** The line that called the op, `file:line:column`; null where the library cannot be told from it. */
  readonly site: string | null;
}

/** What is not finite in a tensor: a NaN, or else an infinity. */
export type NonFinite = "NaN" | "infinity";

/** An input of an op that was not finite either. */
export interface NonFiniteInput {
  /** Which input of the op it is, from 0. */
  readonly index: number;
  /** The name of a state or an argument, or the place of the op that computed it. */
  readonly name: string;
  readonly value: NonFinite;
}

/** An error that knows where in a program it was found. */
class FaultError<Found extends Fault> extends GradusError implements Fault {
  declare readonly op: string;
  declare readonly place: string;
  declare readonly step: number;
  declare readonly site: string | null;

  constructor(message: string, found: Found, options?: ErrorOptions) {
    super(message, options);
    Object.assign(this, found);
  }
}

/** Thrown under `debug` for an op whose result is NaN or infinite. */
export class NonFiniteError extends FaultError<Fault & Pick<NonFiniteError, "inputs">> {
  override name = "NonFiniteError";
  /** The op's inputs that were not finite before. */
  declare readonly inputs: readonly NonFiniteInput[];
}

/** Thrown under `debug` for an index or a label outside its range. */
export class IndexError extends FaultError<Fault & Pick<IndexError, "index" | "position">> {
  override name = "IndexError";
  declare readonly index: number;
  /** Where it stands among the indices, row-major. */
  declare readonly position: number;
}
