import type { DType } from "../core/dtype.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Traits } from "./traits.ts";
import type { ShaderFile } from "./wgsl.ts";

/** An accessor function through which a kernel file reads or writes a tensor. */
export interface Accessor {
  /** The function is `load_<name>` or `store_<name>`. */
  readonly name: string;
  /** Which input it reads; `-1` for what the stage before wrote. Ignored for stores. */
  readonly input: number;
  /** Sizes of its parameters; together they number the elements row-major. */
  readonly extents: readonly number[];
  /** Per parameter: whether the kernel may go beyond the extent, so that a guard is needed. */
  readonly ragged?: readonly boolean[];
  /** Which parameter a four-wide form advances along; none is written when left out. */
  readonly wide?: number;
  /** Which parameter the rows of a 4 × 4 form advance along; none is written when left out. */
  readonly block?: number;
  /** WGSL value read outside; zero when left out. */
  readonly outside?: string;
}

/** The accessor function `store_y`, `store_z` or `store_w`, by which a kernel file writes a result. */
export type StoreAccessor = Omit<Accessor, "name" | "input" | "block" | "outside">;

/** One dispatch of a kernel file. */
export interface Stage {
  readonly shader: ShaderFile;
  /** The dtype of elements; the file calls what they are accumulated in `Acc`. */
  readonly type: DType;
  /** Numbers that the file wants; WORKGROUP, which is `threads`, is always given. */
  readonly constants: Readonly<Record<string, number>>;
  /** WGSL functions that the host supplies, such as `combine`. */
  readonly functions?: string;
  /** Whether the functions use subgroups. */
  readonly subgroups?: boolean;
  readonly libraries?: readonly ShaderFile[];
  readonly loads: readonly Accessor[];
  readonly store: StoreAccessor;
  /** How the further results of an op with several are stored: by `store_z`, then `store_w`. */
  readonly others?: readonly StoreAccessor[];
  /** Workgroups, in a linear grid that is folded where it would be too long. */
  readonly workgroups: number;
  /** Invocations in a workgroup. */
  readonly threads: number;
  /** Bytes of workgroup memory; 0 when left out. */
  readonly memory?: number;
}

/** What a kernel op knows when it chooses its stages. */
export interface KernelContext<A> {
  readonly inputs: readonly TensorType[];
  readonly y: TensorType;
  readonly attributes: A;
  readonly traits: Traits;
}

/** An op with a kernel file of its own. */
export interface KernelForm<A> {
  readonly kind: "kernel";
  /** The costliest pointwise producer, per element, worth recomputing at each load. */
  readonly prologueCost: number;
  /** Chooses the file, constants and grid; several stages run one after the other. */
  stages(context: KernelContext<A>): readonly Stage[];
}
