import type { PeerName } from "../peers/index.ts";
import type { Model } from "./models.ts";
import type { Network } from "./networks.ts";

/** The products, `[m, k] · [k, n]`; `transposed` is the operand whose memory holds its transpose. */
export interface MatmulTask {
  readonly kind: "matmul";
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposed: "a" | "b" | "none";
}

/** Eight pointwise operations on a vector, see `chain` in references.ts. */
export interface ChainTask {
  readonly kind: "chain";
  readonly size: number;
}

/** Softmax of each row of `[rows, columns]`. */
export interface SoftmaxTask {
  readonly kind: "softmax";
  readonly rows: number;
  readonly columns: number;
}

/** The sum of all elements of `[rows, columns]`, or of each row. */
export interface SumTask {
  readonly kind: "sum";
  readonly rows: number;
  readonly columns: number;
  readonly of: "all" | "rows";
}

/** Mean cross-entropy of logits `[rows, columns]` and its gradient; gives loss, then gradient. */
export interface CrossEntropyTask {
  readonly kind: "crossEntropy";
  readonly rows: number;
  readonly columns: number;
}

/** Steps of training; gives the losses of the first ten. */
export interface TrainTask {
  readonly kind: "train";
  readonly network: Network;
}

/** Steps of training of a model of other layers; gives the first losses. */
export interface TrainModelTask {
  readonly kind: "trainModel";
  readonly model: Model;
}

/** One step of training on a library that has just been loaded; gives its loss. */
export interface FirstStepTask {
  readonly kind: "firstStep";
  readonly network: Network;
}

/** The forward pass of one batch; gives the logits. */
export interface InferTask {
  readonly kind: "infer";
  readonly network: Network;
}

/**
 * Images `[batch, size, size, inputs]` with kernels `[kernel, kernel, inputs, outputs]` at each place
 * where one fits; with `gradients` also that of Σ y·g by both operands, for a given g.
 */
export interface ConvolutionTask {
  readonly kind: "convolution";
  readonly batch: number;
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly gradients: boolean;
}

/** Training from the initial weights until enough examples that were held out are recognised. */
export interface LearnTask {
  readonly kind: "learn";
  readonly network: Network;
}

/** Multiply-adds of four numbers at once that need no memory: the most that a core does. */
export interface PeakTask {
  readonly kind: "peak";
  /** Rounds of a loop. */
  readonly rounds: number;
}

export type Task =
  | MatmulTask
  | ChainTask
  | SoftmaxTask
  | SumTask
  | CrossEntropyTask
  | TrainTask
  | TrainModelTask
  | FirstStepTask
  | InferTask
  | ConvolutionTask
  | LearnTask
  | PeakTask;

/** The figure that a time becomes. */
export type Unit = "GFLOP/s" | "GB/s" | "steps/s" | "batches/s" | "s" | "ms" | "µs";

/** One thing that is measured: what is computed of what, and what must come out. */
export interface Workload<T extends Task = Task> {
  readonly name: string;
  readonly task: T;
  readonly unit: Unit;
  /** Floating point operations, bytes, steps or batches of one run. */
  readonly work: number;
  /** How far a result may be off, relative to the largest value of the reference. */
  readonly tolerance: number;
  /** Why it is left out where a CPU emulates the GPU, if it is. */
  readonly skipOnSoftware?: string;
  /** Who takes part, where it is not for all: others would take minutes, or it is no library's. */
  readonly peers?: readonly PeerName[];
  /** Fetches what operands and reference are made of; left out where they are made of nothing. */
  readonly load?: () => Promise<void>;
  /** The operands by name; a network's are its own. The same numbers each time. */
  readonly inputs: () => Readonly<Record<string, Float32Array | Int32Array>>;
  /** What must come out, computed in float64 in plain JavaScript. */
  readonly reference: () => Float64Array;
}

/** Turns milliseconds a run into the figure of a unit; more is better, except for s, ms and µs. */
export function figureOf(unit: Unit, work: number, milliseconds: number): number {
  if (unit === "s") return milliseconds / 1e3;
  if (unit === "ms") return milliseconds;
  if (unit === "µs") return milliseconds * 1e3;
  const perSecond = (work / milliseconds) * 1e3;
  return unit === "GFLOP/s" || unit === "GB/s" ? perSecond / 1e9 : perSecond;
}
