/** What the page and its worker say to each other. */

/** What the user chose. */
export interface Settings {
  readonly device: "auto" | "webgpu" | "cpu";
  readonly batchSize: number;
  readonly learningRate: number;
  readonly hiddenSize: number;
  readonly seed: number;
  readonly epochs: number;
}

/** From the page to the worker. */
export type Command =
  | { readonly kind: "start"; readonly settings: Settings }
  | { readonly kind: "pause" | "resume" | "stop" }
  | RateChange
  /** Pixels of one image, [784], 0 (paper) to 1 (ink). */
  | { readonly kind: "classify"; readonly pixels: Float32Array };

/** The step size from now on; the worker says it back. */
export interface RateChange {
  readonly kind: "rate";
  readonly learningRate: number;
}

/** Where a run stands. */
export type Phase = "loading" | "training" | "paused" | "stopped" | "finished" | "failed";

/** A test image that the network takes for another digit. */
export interface Mistake {
  /** Position in the test set. */
  readonly index: number;
  /** [784], 0 (paper) to 255 (ink). */
  readonly pixels: Uint8Array;
  readonly label: number;
  readonly predicted: number;
  /** The probability given to the prediction. */
  readonly probability: number;
}

/** How far the download is, in bytes. */
export interface Download {
  readonly kind: "download";
  readonly received: number;
  readonly total: number;
}

/** Which device a run uses, and why. */
export interface DeviceReport {
  readonly kind: "device";
  readonly device: "cpu" | "webgpu";
  readonly description: string;
  readonly reason: string;
}

/** The GPU was lost after so many steps, and is being made again. */
export interface LossReport {
  readonly kind: "lost";
  readonly step: number;
}

/** Training goes on, on another GPU or on the CPU, from a step before the loss. */
export interface RecoveryReport {
  readonly kind: "recovered";
  readonly step: number;
  readonly device: "cpu" | "webgpu";
  readonly description: string;
}

/** The mean over the steps since the last report. */
export interface TrainReport {
  readonly kind: "trained";
  /** Steps done since the start, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly loss: number;
  /** 0 to 1. */
  readonly accuracy: number;
  readonly stepsPerSecond: number;
}

/** How the network does on all test images. */
export interface TestReport {
  readonly kind: "tested";
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly count: number;
  readonly wrong: number;
  /** The most confident ones first. */
  readonly mistakes: readonly Mistake[];
}

/** Why a run ended early. */
export interface Failure {
  readonly kind: "failed";
  /** What the user can do. */
  readonly advice: string;
  /** What the engine says. */
  readonly message: string;
}

/** From the worker to the page. */
export type Report =
  | { readonly kind: "phase"; readonly phase: Exclude<Phase, "failed"> }
  | Failure
  /** The ten probabilities, null before the first training. */
  | { readonly kind: "classified"; readonly probabilities: Float32Array | null }
  | Download
  | DeviceReport
  | LossReport
  | RecoveryReport
  | RateChange
  | TrainReport
  | TestReport;
