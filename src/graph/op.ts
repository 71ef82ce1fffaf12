import type { Strided } from "../core/strided.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Form } from "../forms/form.ts";
import type { LoopName } from "../forms/loops.ts";
import type { Traits } from "../forms/traits.ts";
import type { Node } from "./node.ts";
import type { RowGradients } from "./row-gradients.ts";
import type { Tensor } from "./tensor.ts";

/** Settings of one call of an op: plain JSON, so that it can be part of a plan's key. */
export type Attributes = Readonly<Record<string, unknown>>;

/** The attributes of an op that has none. */
export const NO_ATTRIBUTES: Readonly<Record<string, never>> = {};

/** What a gradient rule is given beside the cotangent. */
export interface VjpContext<A> {
  readonly inputs: readonly Tensor[];
  readonly y: Tensor;
  readonly attributes: A;
}

/** Gives the cotangents of an op's inputs from those of its results; made by `jointly`. */
export type VjpAll<A> = (
  nodes: readonly Node[],
  total: (own: readonly Node[]) => Tensor | null,
  context: Omit<VjpContext<A>, "y"> & { valueOf(node: Node): Tensor },
) => readonly (Tensor | null)[];

/** A value in all calls of a function: along a first axis, or one that they share. */
export interface MappedValue {
  readonly x: Tensor;
  readonly isShared: boolean;
}

/** An op of a function that is called many times. */
export interface MappedCall {
  readonly op: Op;
  readonly attributes: Attributes;
  /** The inputs in one call, and in all. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly MappedValue[];
  /** How many calls there are. */
  readonly count: number;
  /** The types of the results in one call. */
  readonly types: readonly TensorType[];
  /** Gives a value its first axis, along which it is repeated where calls share it. */
  all(value: MappedValue): Tensor;
  /**
   * Maps a graph of the op's own: gives values of one call in all, with a first axis.
   * @param known what some are in all calls.
   * @param isWithin whether a node may be made of such.
   */
  within(
    known: readonly (readonly [Node, Tensor])[],
    roots: readonly Node[],
    isWithin: (node: Node) => boolean,
  ): Tensor[];
}

/** Everything about an op, in one value. */
export interface OpDefinition<A extends Attributes> {
  readonly name: string;
  /**
   * Checks the inputs and gives the result's type, or one for each result; that of the first input
   * when left out.
   */
  readonly infer?: (
    inputs: readonly TensorType[],
    attributes: A,
  ) => TensorType | readonly TensorType[];
  /** How many of the inputs, from the first, the values depend on; all when left out. */
  readonly reads?: number;
  /**
   * Arithmetic per element of the result, roughly in multiplications: 0 for what only moves
   * elements, 1 when left out.
   */
  readonly cost?: number;
  /** Floating-point operations; `cost` for each element when left out. */
  readonly flops?: (inputs: readonly TensorType[], y: TensorType) => number;
  /** Whether element `i` reads nothing but the inputs' elements of the same row-major number. */
  readonly linear?: boolean;
  /**
   * For an op that changes some elements of its first input only, so that it can write in place:
   * the input whose elements it writes. The second says where.
   */
  readonly scatter?: number;
  /**
   * Whether it takes rows of its first input that the second names, so that an op which scatters to
   * these may write over what it takes.
   */
  readonly takesRows?: boolean;
  /** The result's value everywhere if an input has no elements. */
  readonly ofNothing?: number;
  /** Which input the result equals, given the values of those that are one everywhere; else null. */
  readonly passes?: (
    values: readonly (number | null)[],
    inputs: readonly TensorType[],
    y: TensorType,
  ) => number | null;
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
  /** In place of `cpu`, for an op with several results: computes those that are wanted. */
  readonly cpuAll?: (
    results: readonly (Strided | undefined)[],
    inputs: readonly Strided[],
    attributes: A,
  ) => void;
  /** Whether the specification throws for some values: the form may say for which, by `allows`. */
  readonly throws?: boolean;
  /** Which of the CPU device's loops computes the same, and faster. */
  readonly loop?: LoopName;
  readonly form: Form<A>;
  /**
   * Says of which other ops the results are made on a device that runs kernels; null where the form
   * does better on such hardware and of such sizes.
   */
  readonly lower?: (
    inputs: readonly Tensor[],
    attributes: A,
    traits: Traits,
  ) => readonly Tensor[] | null;
  /** Says the same for a device that has other code for kernels, and none for this form. */
  readonly composed?: (
    inputs: readonly Tensor[],
    attributes: A,
    traits?: Traits,
  ) => readonly Tensor[];
  /**
   * For an op that runs a program many times, which its attributes hold: what writes programs in which
   * it occurs, on a device that runs kernels.
   */
  readonly writer?: object;
  /** Gives the results in many calls at once, along a first axis, where the form cannot tell how. */
  readonly mapped?: (call: MappedCall) => readonly Tensor[];
  /** Gives the cotangent of each input, null for zeros; null when that holds for all inputs. */
  readonly vjp: ((g: Tensor, context: VjpContext<A>) => readonly (Tensor | null)[]) | null;
  /** In place of `vjp`, for an op with several results: see `jointly`. */
  readonly vjpAll?: VjpAll<A>;
  /** For an op whose result is a gradient that is zero but for some rows: what is done with such. */
  readonly rows?: RowGradients;
  /** Whether the result counts as constant, so that what lies below is no way to a target. */
  readonly stopsGradient?: boolean;
}

/** An op as the engine sees it. */
export type Op = OpDefinition<Attributes>;

/** Arithmetic per element of an op's result, roughly in multiplications. */
export function costOf({ cost = 1 }: Op): number {
  return cost;
}

/** The types of all results of an op. */
export function inferAll(
  { infer }: Op,
  inputs: readonly TensorType[],
  attributes: Attributes,
): TensorType[] {
  return [infer?.(inputs, attributes) ?? inputs[0]].flat() as TensorType[];
}

/** Declares an op, so that its parts are checked against the type of its attributes. */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<A extends Attributes>(definition: OpDefinition<A>): OpDefinition<A> {
  return definition;
}
