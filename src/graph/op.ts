import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { Position } from "./position.ts";
import type { Tensor } from "./tensor.ts";

/** Shape and dtype: all that shape inference may look at. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Settings of one call of an op: plain JSON, so that it can be part of a plan's key. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A WGSL file and its name, for messages. */
export interface ShaderFile {
  readonly name: string;
  readonly source: string;
}

/** What a pointwise form knows while it writes its WGSL expression. */
export interface ElementContext<A> {
  /** Where in the result the element lies. */
  readonly at: Position;
  /** Gives the expression of an input's element at a position. */
  load(input: number, at: Position): string;
  readonly inputs: readonly TensorType[];
  readonly y: TensorType;
  readonly attributes: A;
}

/** An op whose elements can be computed one by one wherever they are needed: fused into its consumers. */
export interface PointwiseForm<A> {
  readonly kind: "pointwise";
  /** Arithmetic per element, roughly in multiplications; 0 for what only moves elements. */
  readonly cost: number;
  /** Whether element `i` reads nothing but the elements of the same row-major number. */
  readonly linear: boolean;
  /** Writes the WGSL expression of one element. */
  element(context: ElementContext<A>): string;
  /** Files of functions that the expression calls. */
  readonly libraries?: readonly ShaderFile[];
  /** For an op that changes some elements of its first input only: what it writes in place. */
  readonly scatter?: Scatter<A>;
}

/** How an op that changes some elements of its first input does so in place. */
export interface Scatter<A> {
  /** The input whose elements are written. */
  readonly value: number;
  /** Gives the row-major number in the result of the value's element at `context.at`. */
  place(context: ElementContext<A>): string;
}

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

/** The accessor function `store_y`, through which a kernel file writes its result. */
export type Store = Omit<Accessor, "name" | "input" | "block" | "outside">;

/** One dispatch of a kernel file. */
export interface Stage {
  readonly shader: ShaderFile;
  /** The dtype that the file calls `T`. */
  readonly type: DType;
  /** Numbers that the file wants; WORKGROUP, which is `threads`, is always given. */
  readonly constants: Readonly<Record<string, number>>;
  /** WGSL functions that the host supplies, such as `combine`. */
  readonly functions?: string;
  /** Whether the functions use subgroups. */
  readonly subgroups?: boolean;
  readonly libraries?: readonly ShaderFile[];
  readonly loads: readonly Accessor[];
  readonly store: Store;
  /** Workgroups, in a linear grid that is folded where it would be too long. */
  readonly workgroups: number;
  /** Invocations in a workgroup. */
  readonly threads: number;
  /** Bytes of workgroup memory; 0 when left out. */
  readonly memory?: number;
}

/** What kernel choice depends on. */
export interface KernelProfile {
  /** Whether workgroup memory and barriers pay, or direct loads are faster. */
  readonly workgroupMemory: boolean;
  /** Invocations in a workgroup of a kernel that leaves the choice open. */
  readonly threads: number;
  /** Whether direct loads are so slow that four neighbours had better share them. */
  readonly quads: boolean;
}

/** What a kernel op knows when it chooses its stages. */
export interface KernelContext<A> {
  readonly inputs: readonly TensorType[];
  readonly y: TensorType;
  readonly attributes: A;
  readonly profile: KernelProfile;
}

/** An op with a kernel file of its own. */
export interface KernelForm<A> {
  readonly kind: "kernel";
  /** The costliest pointwise producer, per element, worth recomputing at each load. */
  readonly prologueCost: number;
  /** Floating-point operations. */
  flops(inputs: readonly TensorType[], y: TensorType): number;
  /** Chooses the file, constants and grid; several stages run one after the other. */
  stages(context: KernelContext<A>): readonly Stage[];
}

/** What a gradient rule is given beside the cotangent. */
export interface VjpContext<A> {
  readonly inputs: readonly Tensor[];
  readonly y: Tensor;
  readonly attributes: A;
}

/** Loops that the CPU device has: products of matrices, and loops over float32. */
export type LoopName = "matmul" | F32LoopName;

/** Loops over float32 that the CPU device has. */
export type F32LoopName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "maximum"
  | "minimum"
  | "greater"
  | "where"
  | "neg"
  | "abs"
  | "square"
  | "sqrt"
  | "exp"
  | "log"
  | "sigmoid"
  | "tanh"
  | "relu";

/** Everything about an op, in one value. */
export interface OpDefinition<A extends Attributes> {
  readonly name: string;
  /** Checks the inputs and gives the result's type; that of the first input when left out. */
  readonly infer?: (inputs: readonly TensorType[], attributes: A) => TensorType;
  /** How many of the inputs, from the first, the values depend on; all when left out. */
  readonly reads?: number;
  /**
   * The specification of an op whose elements are made of one element of each input: gives the
   * function of these, whose result is rounded where it is stored.
   */
  readonly scalar?: (
    inputs: readonly TensorType[],
    attributes: A,
  ) => (...values: number[]) => number;
  /** Computes the result: the specification of other ops. `y` is contiguous and holds anything. */
  readonly cpu?: (y: Strided, inputs: readonly Strided[], attributes: A) => void;
  /** Which of the CPU device's loops computes the same, and faster. */
  readonly loop?: LoopName;
  /** In place of both, for ops that only move elements; null where the input must be contiguous. */
  readonly view?: (x: Strided, attributes: A, y: TensorType) => Strided | null;
  readonly gpu: PointwiseForm<A> | KernelForm<A>;
  /** The result's value everywhere if an input has no elements. */
  readonly ofNothing?: number;
  /** Which input the result equals, given the values of those that are one everywhere; else null. */
  readonly passes?: (
    values: readonly (number | null)[],
    inputs: readonly TensorType[],
    y: TensorType,
  ) => number | null;
  /** Gives the cotangent of each input, null for zeros; null when that holds for all inputs. */
  readonly vjp: ((g: Tensor, context: VjpContext<A>) => readonly (Tensor | null)[]) | null;
  /** Whether the result counts as constant, so that what lies below is no way to a target. */
  readonly stopsGradient?: boolean;
}

/** An op as the engine sees it. */
export type Op = OpDefinition<Attributes>;

/** Declares an op, so that its parts are checked against the type of its attributes. */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<A extends Attributes>(definition: OpDefinition<A>): OpDefinition<A> {
  return definition;
}
