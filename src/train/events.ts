import type { Tensor } from "../graph/tensor.ts";

/** Means of metrics over some steps, by name. */
export type MetricMeans = Readonly<Record<string, number>>;

/** Reports training steps. */
export interface StepEvent {
  readonly event: "step";
  /** From 0. */
  readonly epoch: number;
  /** Steps done since the start of training. */
  readonly step: number;
  /** Steps until the end of training; Infinity while nothing tells how many an epoch has. */
  readonly steps: number;
  /**
   * Mean of the losses since the last `step` event over their examples: a shorter batch counts less,
   * here and in all means.
   */
  readonly loss: number;
  /** Means of the metrics since the last `step` event; only with `metrics`. */
  readonly metrics?: MetricMeans;
  readonly stepsPerSecond: number;
  /** Estimate until the last step, without measuring accuracy. */
  readonly secondsLeft: number;
  /**
   * What `capture` names, from the step that was made last, which may be a later one; only with
   * `capture`. The values are on the device, until the next step frees them.
   */
  readonly captured?: Readonly<Record<string, Tensor>>;
}

/** What is measured on data sets between two steps. */
export interface Measures {
  /** Mean of the loss on held-out examples; only with `validationData`. */
  readonly validationLoss?: number;
  /** Means of the metrics on them; only with `validationData` and `metrics`. */
  readonly validationMetrics?: MetricMeans;
  /** In [0, 1]; only with `trainData`. */
  readonly trainAccuracy?: number;
  /** In [0, 1]; only with `testData`. */
  readonly testAccuracy?: number;
}

/** Reports what was measured within an epoch; only with `measureEvery`. */
export interface MeasureEvent extends Measures {
  readonly event: "measure";
  /** From 0. */
  readonly epoch: number;
  /** Steps done since the start of training; the next one waits until the report has been taken. */
  readonly step: number;
}

/** Reports an epoch, with what was measured after it. */
export interface EpochEvent extends Measures {
  readonly event: "epoch";
  /** From 0. */
  readonly epoch: number;
  /** Steps done since the start of training. */
  readonly step: number;
  /** Mean of the epoch's losses over its examples, each loss from before its step. */
  readonly loss: number;
  /** Means of the epoch's metrics, each from before its step; only with `metrics`. */
  readonly metrics?: MetricMeans;
  /** Over the epoch, without measuring accuracy. */
  readonly stepsPerSecond: number;
}

/** Reports that the device was lost, and with it all that lay on it; it is being made again. */
export interface DeviceLostEvent {
  readonly event: "deviceLost";
  /** From 0. */
  readonly epoch: number;
  /** Steps done since the start of training. */
  readonly step: number;
  /** Why, as far as the browser tells. */
  readonly message: string;
}

/** Reports that training goes on after a loss, to the same bits as without it. */
export interface RecoveredEvent {
  readonly event: "recovered";
  /** From 0. */
  readonly epoch: number;
  /** Steps done since the start of training. */
  readonly step: number;
  /** What the device is now: another GPU, or the CPU where none is to be had. */
  readonly kind: "cpu" | "webgpu";
  /** Names the hardware. */
  readonly description: string;
  /** Steps that were made again. */
  readonly repeated: number;
  /** Steps that are gone, since their batches cannot be had again; training goes on before them. */
  readonly dropped: number;
  /** From the loss on. */
  readonly milliseconds: number;
}

/**
 * Reports where training goes on, on a device that `init` chose by `auto`: steps were timed on the GPU
 * and on the CPU.
 */
export interface DeviceChosenEvent {
  readonly event: "deviceChosen";
  /** From 0. */
  readonly epoch: number;
  /** Steps done since the start of training. */
  readonly step: number;
  /** What the device is from now on. */
  readonly kind: "cpu" | "webgpu";
  /** Names the hardware. */
  readonly description: string;
  /** Tells the times, for people. */
  readonly reason: string;
}

/** What `train` reports. */
export type TrainEvent =
  | StepEvent
  | MeasureEvent
  | EpochEvent
  | DeviceLostEvent
  | RecoveredEvent
  | DeviceChosenEvent;
