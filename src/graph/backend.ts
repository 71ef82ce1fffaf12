import type { DType, NumericArray } from "../core/dtype.ts";
import type { Node } from "./node.ts";

/** Values of one tensor on a device; what is inside is the device's own affair. */
export interface Storage {
  readonly bytes: number;
}

/** What a graph needs of the device it lives on; `engine/` implements it. */
export interface Backend {
  /** Which device: the specification on the CPU, or fused kernels on WebGPU. */
  readonly kind: "cpu" | "webgpu";
  readonly dtypes: ReadonlySet<DType>;
  /** Throws a `DeviceError` when the device was lost or disposed. */
  check(op: string): void;
  /** Enqueues the computation of the nodes' values and waits for nothing. */
  evaluate(nodes: readonly Node[], op?: string): void;
  /** Copies values from the host into storage, behind all work enqueued before. */
  write(storage: Storage, values: NumericArray, dtype: DType): void;
  /** Copies a node's values to the host, evaluating it first where needed. */
  read(node: Node, op?: string): Promise<NumericArray>;
  /** Frees what a node holds. */
  release(storage: Storage): void;
}
