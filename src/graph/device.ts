import type { Counters } from "../core/counters.ts";
import type { DType, NumericArray } from "../core/dtype.ts";
import type { GradusError } from "../core/errors.ts";
import type { Node } from "./node.ts";
import type { State } from "./state.ts";

/** Values of one tensor on a device; what is inside is the device's own affair. */
export interface Storage {
  readonly bytes: number;
  /** Why the values are not what they should be, until they are written anew. */
  failure: GradusError | null;
  /** Of what holds it; left out where that does not end before its device. */
  readonly life?: Life;
}

/** Tells whether what holds values is gone, and they with it. */
export interface Life {
  isOver: boolean;
}

/** A state, and the node of its next value. */
export interface StateChange {
  readonly state: State;
  readonly node: Node;
}

/** Keeps what is needed to have states' values again when they go with their device. */
export interface StateJournal {
  /** How a value can be computed again of states; null while nothing is noted. */
  trail(node: Node): Node | null;
  /** Takes down values that states are going to have, and gives what notes that they have them. */
  note(changes: readonly StateChange[]): () => void;
}

/** Why a device is gone. */
export interface DeviceLoss {
  /** `destroyed` when it was disposed. */
  readonly reason: "destroyed" | "unknown";
  readonly message: string;
}

/** What became of a run that was under way. */
export interface Recovered {
  /** Steps that were made again. */
  readonly repeated: number;
  /** Steps that are gone, since what they were given cannot be had again. */
  readonly dropped: number;
}

/** What becomes of a device that is lost, or where small models may be faster elsewhere. */
export type DeviceNews =
  | {
      readonly event: "deviceChosen";
      readonly kind: "cpu" | "webgpu";
      readonly description: string;
      readonly reason: string;
    }
  | { readonly event: "lost"; readonly message: string }
  | ({
      readonly event: "recovered";
      readonly kind: "cpu" | "webgpu";
      readonly description: string;
      readonly milliseconds: number;
    } & Recovered);

/** What is alive on a device. */
export interface MemoryInfo {
  /** Tensors and states whose values are held. */
  readonly tensors: number;
  /** Buffers, spare ones in the pool included. */
  readonly buffers: number;
  /** Bytes of all buffers. */
  readonly bytes: number;
  /** Plans kept for evaluations; those of compiled functions are in their `plans`. */
  readonly plans: number;
  /** Pipelines of all plans; 0 on the CPU. */
  readonly pipelines: number;
  /** Its values that nobody freed and the garbage collector found. */
  readonly reclaimed: number;
}

/** A place where graphs are evaluated: what `init` gives, and what a tensor's `device` is. */
export interface Device {
  /** Which device: the specification on the CPU, or fused kernels on WebGPU. */
  readonly kind: "cpu" | "webgpu";
  /** Counts the devices from 1. */
  readonly number: number;
  /** Names the hardware, for people. */
  readonly description: string;
  readonly dtypes: ReadonlySet<DType>;
  /** What the device was asked to do so far. */
  readonly counters: Counters;
  /** Settles when the device is lost or disposed. */
  readonly lost: Promise<DeviceLoss>;
  /** Settles when a device that was lost has been made again; null while it works. */
  readonly recovering: Promise<void> | null;
  /** How often it was lost. */
  readonly losses: number;
  /** Told of losses, recoveries and choices. */
  readonly listeners: Set<(news: DeviceNews) => void>;
  /** Tells what is alive on it. */
  memory(): MemoryInfo;
  /** Frees everything; later calls throw a `DeviceError`. */
  dispose(): void;

  // What graphs need of it:

  /** Who holds which values, where they may go to another session; null where they stay. */
  readonly holders: Map<Storage, WeakRef<Node>> | null;

  /** Null on a device that is never lost. */
  readonly journal: StateJournal | null;
  /**
   * Runs the calls of compiled functions that still wait and come before what is done now.
   * @param node a value that is used now, or changed or freed if `isChange`.
   */
  catchUp(node: Node, isChange?: boolean): void;
  /** Takes a new state under its care. */
  register(state: State): void;
  /** Throws a `DeviceError` when the device was lost or disposed. */
  check(op: string): void;
  /**
   * Enqueues the computation of the nodes' values and waits for nothing.
   * @param isCut whether the caller cuts those whose graph would stay for their gradients.
   */
  evaluate(nodes: readonly Node[], op?: string, isCut?: boolean): void;
  /** Copies values from the host into storage, behind all work enqueued before. */
  overwrite(storage: Storage, values: NumericArray, dtype: DType): void;
  /** Copies a node's values to the host, evaluating it first where needed. */
  read(node: Node, op?: string): Promise<NumericArray>;
  /** Does what `read` does of several nodes at once: their values are of one moment. */
  readAll(nodes: readonly Node[], op?: string): Promise<NumericArray[]>;
  /** Gives values that lie on the host anyway, not to be changed; undefined where reads wait. */
  peek(storage: Storage): NumericArray | undefined;
  /** Frees what a node holds. */
  release(storage: Storage): void;
  /** Frees what a node held that nobody freed and the garbage collector found. */
  reclaim(storage: Storage): void;
}

/** Names devices for a message, by number where some are of one kind: `webgpu 1`, `webgpu 3`. */
export function namesOf(devices: readonly Device[]): string[] {
  const areKinds = new Set(devices.map(({ kind }) => kind)).size === devices.length;
  return devices.map(({ kind, number }) => (areKinds ? kind : `${kind} ${number}`));
}
