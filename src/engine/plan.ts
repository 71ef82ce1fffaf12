import type { Storage } from "../graph/device.ts";
import type { Profile } from "./profile.ts";
import type { Program } from "./program.ts";

/** One kernel of a plan, or one op on the CPU. */
export interface KernelStats {
  /** The ops of each group that the kernel computes. */
  readonly groups: readonly (readonly string[])[];
  /** How many times it runs, as in a loop; once when left out. What else is told is of one time. */
  readonly times?: number;
  /** Floating-point operations, roughly. */
  readonly flops: number;
  /** Bytes read and written, each value once. */
  readonly bytes: number;
  /** Workgroups; 0 on the CPU. */
  readonly workgroups: number;
  /** Buffers bound; 0 on the CPU. */
  readonly bindings: number;
  /** On the compiled CPU device, the function that computes it: equal kernels share one. */
  readonly function?: string;
  /** Bytes of memory that this takes while it runs. */
  readonly scratch?: number;
  /** Of how many units parts are computed apart, by threads or by one, if they are. */
  readonly units?: number;
  /** Why there is no such function, and it runs in its op's plain form. */
  readonly plain?: string;
  /** Writes its code, as WGSL or as text of WebAssembly. */
  readonly code?: () => Promise<string>;
}

/** What a plan does each time that it runs. Counts are exact. */
export interface PlanStats {
  readonly dispatches: number;
  readonly flops: number;
  /** Bytes that its kernels read and write. */
  readonly bytes: number;
  /** Bytes of memory for values between kernels. */
  readonly peakBytes: number;
  /** Bytes of such values that are needed at once, at the most: no plan takes less. */
  readonly lowerBoundBytes: number;
  readonly kernels: readonly KernelStats[];
  /** What computes, on the CPU. */
  readonly engine?: string;
}

/** Reports how many of a plan's pipelines have been built. */
export type Progress = (built: number, total: number) => void;

/** A program made ready for one device. */
export interface Plan {
  /** What it was made of, by which another session can make it too; left out where none can. */
  readonly program?: Program;
  readonly options?: PlanOptions;
  /** Counts what it does each time that it runs. */
  stats(): Promise<PlanStats>;
  /** Whether a run has nothing to build. */
  readonly ready: boolean;
  /** Builds what it needs without holding up the page; `run` builds what is missing at once. */
  prepare(onProgress?: Progress): Promise<void>;
  /** Enqueues the program on its sources' storages: changes the updated ones, gives the outputs'. */
  run(sources: readonly Storage[]): Storage[];
  /** Runs the program as `run` does and takes the time of each kernel. */
  profile(sources: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }>;
  /** Frees the memory for values between kernels, and the pipelines that no other plan has. */
  dispose(): void;
}

/** How a plan is going to be used. */
export interface PlanOptions {
  /** Whether it runs again and again, so that it keeps its memory and shares submits. */
  readonly repeated: boolean;
  /** How many runs share a submit; as many as take 2 to 8 ms when left out. */
  readonly stepsPerSubmit?: number;
  /** Which sources are the same tensors in each run; none when left out. */
  readonly fixed?: readonly boolean[];
}
