import type { DType } from "../core/dtype.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Formula } from "./scalars.ts";
import type { Traits } from "./traits.ts";
import type { ShaderFile } from "./wgsl.ts";

/**
 * What a kernel has to compute: the dtype of its elements, and sizes by the names that its files have
 * for them. Plain data, by which a choice can be kept.
 */
export interface Problem {
  readonly dtype: DType;
}

/** Numbers by the names that a kernel's files call them by. */
export type Constants = Readonly<Record<string, number>>;

/** One way to run a kernel: `WORKGROUP`, the invocations in a workgroup, and sizes of tiles. */
export type Candidate = Constants & { readonly WORKGROUP: number };

/** A function through which a kernel's files read or write a tensor. */
export interface Accessor {
  /** The function is `load_<name>` or `store_<name>`. */
  readonly name: string;
  /** Sizes of its parameters; together they number the elements row-major. */
  readonly extents: readonly number[];
  /** What its elements are; those of the problem when left out. */
  readonly dtype?: DType;
  /** Per parameter: whether the kernel may go beyond the extent, so that a guard is needed. */
  readonly ragged?: readonly boolean[];
  /** Which parameter a four-wide form advances along; none is written when left out. */
  readonly wide?: number;
}

/** How a kernel reads one input: `load_<name>`, and `load_<name>4` where it is wide. */
export interface Load extends Accessor {
  /** Which parameter the rows of a 4 × 4 form advance along; none is written when left out. */
  readonly block?: number;
  /**
   * Writes the four vectors of that form, which `load` gives along a parameter, and has a last parameter `lane` for
   * it; calls of `load` when left out.
   */
  rows?(load: string, accessor: Load, along: number): string;
  /** WGSL value read outside; zero when left out. */
  readonly outside?: string;
}

/** What a kernel is for one problem and one candidate. */
export interface KernelLayout {
  /** What its files want beside problem and candidate, or in place of these. */
  readonly constants?: Constants;
  /** How it reads its inputs, in order. */
  readonly loads: readonly Load[];
  /** How it stores its results. */
  readonly results: readonly Accessor[];
  /** Workgroups, in a linear grid that is folded where it would be too long. */
  readonly workgroups: number;
  /** Bytes of workgroup memory; 0 when left out. */
  readonly memory?: number;
}

/** A kernel: files of `shaders/`, and all that the host must know of them. */
export interface Kernel<P extends Problem = Problem> {
  /** Whether it has workgroup memory and barriers, or each invocation loads for itself. */
  readonly kind: "workgroup" | "direct";
  /** The file with the entry point, and those whose functions it calls with accessors of its own. */
  readonly files: readonly ShaderFile[];
  /** Files of functions that any kernel may call. */
  readonly libraries?: readonly ShaderFile[];
  /** Functions of the op's own, which gives a formula for each: parameters and result. */
  readonly functions?: Readonly<Record<string, string>>;
  /** The extension of WGSL by which its files use subgroups, if they do. */
  readonly subgroups?: string;
  /**
   * Names the order in which all its candidates add: kernels of a family with the same one give the same
   * bits. When left out it is `direct`, or `workgroup` and the size of one.
   */
  readonly order?: string;
  /**
   * What a candidate of its kind should cost, its own or of another kernel of the family: of use to compare these.
   */
  cost?(problem: P, candidate: Candidate, traits: Traits): number;
  /** Whether it can compute a problem, where it cannot compute all of its family. */
  fits?(problem: P): boolean;
  /** The ways to run it. */
  readonly candidates: readonly Candidate[];
  layout(problem: P, candidate: Candidate): KernelLayout;
}

/** A kernel to run, and how. */
export interface KernelChoice<P extends Problem = Problem> {
  readonly kernel: Kernel<P>;
  readonly candidate: Candidate;
}

/** A kind of kernel, and what a candidate of it should have. */
export type KernelWish = readonly [kind: Kernel["kind"], wanted: Constants];

/** What families of kernels compute whose ops few apps have: see `rare`. */
export type RareComputation =
  | "scan"
  | "steps"
  | "sort"
  | "search"
  | "moments"
  | "place"
  | "rowSums"
  | "rowPlaces";

/** What families of kernels compute that devices without shaders may have code for. */
export type Computation = "product" | "reduction" | "softmax" | "place" | RareComputation;

/** Kernels that compute the same. */
export interface Family<P extends Problem = Problem> {
  /** What they compute, by which devices without shaders find their own code for it. */
  readonly computes?: Computation;
  /** The costliest pointwise producer, per element, worth recomputing at each load. */
  readonly prologueCost: number;
  /**
   * Of which ops one kernel may compute several at once, with a value for each in its first result:
   * of the same input, or of any inputs where all that it takes and gives is `elements` for each.
   */
  readonly joins?: "input" | "elements";
  /** The kernels that are there; some are loaded on demand. */
  readonly kernels: readonly Kernel<P>[];
  /** What suits the hardware, the best first; the last one is always there. */
  rule(problem: P, traits: Traits): readonly KernelWish[];
}

/** Decides how a problem is computed, by the rules of its family or by what was measured. */
export type Choose = <P extends Problem>(family: Family<P>, problem: P) => KernelChoice<P>;

/**
 * Begins a dispatch: tells of one part after the other whether it had better share it, which the first may; `isNew`
 * is false where an equal part does it too.
 */
export type PartSharing = () => (part: Stage, isNew: boolean) => boolean;

/** One dispatch of a kernel. */
export interface Stage extends KernelLayout {
  readonly kernel: Kernel;
  /** What its files call `Acc`: a number, or `Values` of several ops, which have a field each. */
  readonly accumulated: string;
  /** For each op the field of what is loaded that it has: nothing where it is all. */
  readonly loaded: readonly string[];
  /** All numbers that the files want. */
  readonly constants: Constants;
  /** The dtype of elements; the files call what they are accumulated in `Acc`. */
  readonly type: DType;
  /** The op's own functions. */
  readonly functions: readonly string[];
  readonly libraries: readonly ShaderFile[];
  /** Invocations in a workgroup. */
  readonly threads: number;
}

/** Formulas of functions by their names. */
export type OwnFunctions = Readonly<Record<string, Formula>>;

/** What a kernel op knows of one call. */
export interface KernelContext<A> {
  readonly inputs: readonly TensorType[];
  readonly y: TensorType;
  readonly attributes: A;
}

/**
 * How many calls of an op become one: `rows` where row i of each result, on the first axis, is made of
 * row i of each input; `product` of matrices or stacks of such; `gather` and `scatter` where rows go
 * by indices.
 */
export type Batching = "rows" | "product" | "gather" | "scatter";

/** An op with kernels of its own. */
export interface KernelForm<A, P extends Problem = Problem> {
  readonly kind: "kernel";
  /** How many calls become one; null where only the op itself knows, if any way is known. */
  readonly batching: Batching | null;
  readonly family: Family<P>;
  /** Which of the kernel's results is the op's first; 0 when left out. */
  readonly result?: number;
  problem(context: KernelContext<A>): P;
  /**
   * The op's own part of the kernel: a formula for each function that it names, of its parameters,
   * numbers of the dtype in which the kernel accumulates.
   */
  functions?(type: DType, attributes: A): OwnFunctions;
  /** Files of functions that these call. */
  readonly libraries?: readonly ShaderFile[];
  /** Whether nothing else may be computed with it: it reads and writes what is stored. */
  readonly isClosed?: boolean;
}
