import type { TensorType } from "../core/tensor-type.ts";
import type { Position } from "./position.ts";
import type { ShaderFile } from "./wgsl.ts";

/** What a pointwise form knows while it writes its WGSL expression. */
export interface ElementContext<A> {
  /** Where in the result the element lies. */
  readonly at: Position;
  /** Which of the op's results it is. */
  readonly result: number;
  /** Gives the expression of an input's element at a position. */
  load(input: number, at: Position): string;
  readonly inputs: readonly TensorType[];
  readonly y: TensorType;
  readonly attributes: A;
}

/** An op whose elements can be computed one by one wherever they are needed: fused into its consumers. */
export interface PointwiseForm<A> {
  readonly kind: "pointwise";
  /** Writes the WGSL expression of one element. */
  element(context: ElementContext<A>): string;
  /** Files of functions that the expression calls. */
  readonly libraries?: readonly ShaderFile[];
  /**
   * For an op that can write in place (`scatter`): the row-major number in the result of the
   * value's element at `context.at`.
   */
  place?(context: ElementContext<A>): string;
}
