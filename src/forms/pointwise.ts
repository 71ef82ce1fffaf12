import type { DType } from "../core/dtype.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Batching } from "./kernel.ts";
import type { Position } from "./position.ts";
import type { Scalars } from "./scalars.ts";
import type { ShaderFile } from "./wgsl.ts";

/** What a pointwise form knows while it writes an element, whatever a value is. */
export interface ElementContext<A, V> {
  /** Where in the result the element lies. */
  readonly at: Position<V>;
  /** Which of the op's results it is. */
  readonly result: number;
  /** Gives an input's element at a position. */
  load(input: number, at: Position<V>): V;
  /** Gives the operations on values of a dtype. */
  scalars(dtype: DType): Scalars<V>;
  readonly inputs: readonly TensorType[];
  readonly y: TensorType;
  readonly attributes: A;
}

/** An op whose elements can be computed one by one wherever they are needed: fused into its consumers. */
export interface PointwiseForm<A> {
  readonly kind: "pointwise";
  /** How many calls become one, where something does better than their elements one by one. */
  readonly batching?: Batching;
  /** Writes one element. */
  element<V>(context: ElementContext<A, V>): V;
  /**
   * For an op whose specification throws for some values: whether it gives an element, as a bool. A
   * device that can stop runs the specification then, which throws.
   */
  allows?<V>(context: ElementContext<A, V>): V;
  /** Files of functions that its expression in WGSL calls. */
  readonly libraries?: readonly ShaderFile[];
  /**
   * For an op that can write in place (`scatter`): the row-major number in the result of the
   * value's element at `context.at`, a word; what is no element's number is written nowhere.
   */
  place?<V>(context: ElementContext<A, V>): V;
}
