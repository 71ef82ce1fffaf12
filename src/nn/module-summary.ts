import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";

/** Options of `Module.summary`. */
export interface SummaryOptions {
  /** The shape of a batch, such as `[1, 784]`; without it the outputs' shapes stay unknown. */
  inputShape?: Shape;
  /** What a model of other or several inputs is called with, such as `[x, mask]`, in place of a shape. */
  inputs?: readonly unknown[];
  /** The input's dtype; the parameters' when left out. */
  dtype?: DType;
  /** Told the table; `console.log` when left out, nothing is told for null. */
  print?: ((table: string) => void) | null;
}

/** A layer of a `ModuleSummary`. */
export interface LayerSummary {
  /** The way to it, such as `blocks.0`; empty for the model itself. */
  readonly name: string;
  /** Its class, or the name of its function. */
  readonly type: string;
  /**
   * What it gave for the inputs, tensor by tensor, once for each different shape; empty where it was
   * not called.
   */
  readonly outputShapes: readonly Shape[];
  /** Elements of the parameters that it has itself, not of those of modules in it. */
  readonly parameters: number;
}

/** What a model consists of. */
export interface ModuleSummary {
  readonly layers: readonly LayerSummary[];
  /** Elements of all parameters. */
  readonly parameters: number;
  /** Elements of those that are not frozen. */
  readonly trainable: number;
  /** The table that was printed. */
  toString(): string;
}
