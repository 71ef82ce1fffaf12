import type { State } from "../graph/state.ts";
import type { AnyModule } from "../nn/module.ts";
import type {
  DeviceChosenEvent,
  DeviceLostEvent,
  EpochEvent,
  MeasureEvent,
  RecoveredEvent,
  StepEvent,
} from "./events.ts";

/** Why a run ends: by its last epoch, a callback or a signal. */
export interface RunEnd {
  readonly by: "epochs" | "callback" | "signal";
  /** What the callback said. */
  readonly reason?: string;
}

/** A run of `fit`, as its callbacks see it. */
export interface Run {
  readonly model: AnyModule;
  /** How many epochs there are to be. */
  readonly epochs: number;
  /** Infinity until an epoch has been gone through, where nothing else tells. */
  readonly stepsPerEpoch: number;
  /** Steps made so far; a `step` event may tell of an earlier one. */
  readonly step: number;
  /** The epochs so far, those before it was resumed among them. */
  readonly history: readonly EpochEvent[];
  /** Why it ends here; null while it goes on. */
  readonly end: RunEnd | null;
  /** Whether a signal stopped it, so that it may be resumed. */
  readonly interrupted: boolean;
  /**
   * Ends training after this event, for good: a checkpoint says so, and a run resumed from it makes
   * no step unless `fit` is told to go on.
   * @param reason what the result and the checkpoint tell.
   */
  stop(reason?: string): void;
  /** Gives what `fit` needs to go on from here, as `saveCheckpoint` writes it. */
  checkpoint(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Takes part in a run of `fit`. Methods may give promises, for which training waits; no step is made
 * meanwhile.
 */
export interface Callback {
  /** Called before the first step, and before a checkpoint is restored. */
  onStart?(run: Run): void | Promise<void>;
  /** Called on each `step` event. */
  onStep?(event: StepEvent, run: Run): void | Promise<void>;
  /** Called on each `measure` event, between the step it tells of and the next one. */
  onMeasure?(event: MeasureEvent, run: Run): void | Promise<void>;
  /** Called on each `epoch` event, which the history has by then. */
  onEpoch?(event: EpochEvent, run: Run): void | Promise<void>;
  /** Called when the device was lost; tensors can be computed again when it has recovered. */
  onDeviceLost?(event: DeviceLostEvent, run: Run): void | Promise<void>;
  /** Called when training goes on after a loss. */
  onRecovered?(event: RecoveredEvent, run: Run): void | Promise<void>;
  /** Called when steps were timed on the GPU and on the CPU, wherever training goes on. */
  onDeviceChosen?(event: DeviceChosenEvent, run: Run): void | Promise<void>;
  /** Called when training has ended, also by `stop` or a signal, unless by an error. */
  onEnd?(run: Run): void | Promise<void>;
  /** Frees what it holds; called last, also after an error. */
  dispose?(): void;
  /** Whether it is called after those without this mark, as what saves the others must be. */
  readonly isLast?: boolean;
  /** What a checkpoint calls it; without a name it is not kept. */
  readonly name?: string;
  /** Gives what a checkpoint is to keep of it: anything that JSON can hold, NaN and infinities. */
  save?(): unknown;
  /**
   * Takes back what `save` gave; called before the run's states are restored, which stay as they are
   * if it throws.
   */
  restore?(saved: unknown): void;
  /** States that a checkpoint is to keep; made by the end of `onStart`. */
  state?(): ReadonlyMap<string, State>;
}
