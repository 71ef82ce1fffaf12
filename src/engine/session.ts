import type { DType, NumericArray } from "../core/dtype.ts";
import type { DeviceLoss, Life, Storage } from "../graph/device.ts";
import type { Plan, PlanOptions } from "./plan.ts";
import type { Program } from "./program.ts";

/** Values to be copied to the host. */
export interface Download {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly size: number;
}

/** Counts what a session holds. */
export interface Usage {
  readonly buffers: number;
  readonly bytes: number;
  readonly pipelines: number;
}

/**
 * What a device works through: one GPUDevice with all that belongs to it, or the CPU. When it is
 * lost, its device takes another one and stays the same object.
 */
export interface Session {
  readonly kind: "cpu" | "webgpu";
  /** Names the hardware, for people. */
  readonly description: string;
  readonly dtypes: ReadonlySet<DType>;
  /** Of what it holds; left out where it cannot be lost. */
  readonly life?: Life;
  /** Told of its loss at once, before those who wait for `lost`. */
  onLost?: (loss: DeviceLoss) => void;
  /** Settles when it is lost or disposed. */
  readonly lost: Promise<DeviceLoss>;
  /** Throws a `DeviceError` when it was lost or disposed. */
  check(op: string): void;
  /** Begins what the user called as `op`; throws as `check` does. */
  begin(op: string): void;
  /** Makes a program ready to run. */
  compile(program: Program, options: PlanOptions): Plan;
  /** Copies values from the host. */
  upload(values: NumericArray, dtype: DType): Storage;
  /** Copies values from the host over others, behind all work enqueued before. */
  overwrite(storage: Storage, values: NumericArray, dtype: DType): void;
  /** Copies values to the host, all of one moment. */
  download(wanted: readonly Download[]): Promise<NumericArray[]>;
  /** Gives values that lie on the host anyway; left out where reads wait. */
  peek?(storage: Storage): NumericArray;
  /** Takes storage back. */
  release(storage: Storage): void;
  /** Frees what is spare; left out where nothing is kept. */
  trim?(): void;
  usage(): Usage;
  /** Waits until it is no longer far behind; undefined when it is not. */
  room(): Promise<void> | undefined;
  /** Runs a function whose evaluations may share a submit with what it runs last. */
  together<T>(fn: () => T): T;
  /** Frees everything; later calls throw a `DeviceError`. */
  dispose(): void;
}
