import { checkOptions, type Known } from "../core/check.ts";
import type { NumericArray, Trait } from "../core/dtype.ts";
import { normalizeAxes, type Shape, sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Family, KernelContext, KernelForm } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import type { RowsProblem } from "../kernels/problems.ts";
import { checkDomain } from "./domain.ts";
import { inShape, inverse, withAxes } from "./reshape.ts";

/** The names of `ReduceOptions`. */
export const REDUCE: Known<ReduceOptions> = { axis: "number", keepDims: "boolean" };

/** The one axis that an op works along. */
export interface AxisOptions {
  axis?: number;
}

/** The names of `AxisOptions`. */
export const AXIS: Known<AxisOptions> = { axis: "number" };

/** A tensor seen as rows of the elements that a reduction joins. */
export interface Rows {
  /** `[rows, length]`, without copying where strides allow it. */
  readonly x: Tensor;
  /** How many elements a row has. */
  readonly length: number;
  /** Gives `[rows]` the shape of the result. */
  restore(y: Tensor): Tensor;
  /** Gives `[rows, length]` the axes that x had; where it is one axis, rows may have another length. */
  restoreAll(y: Tensor): Tensor;
}

/** Moves the reduced axes to the end and flattens both groups. */
export function asRows(op: string, x: Tensor, options: ReduceOptions): Rows {
  const axes = normalizeAxes(op, options.axis, x.rank);
  const kept = [...x.shape.keys()].filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const sizes = (of: readonly number[]): Shape => of.map((axis) => x.shape[axis]);
  const length = sizeOf(sizes(axes));
  const result = options.keepDims ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : sizes(kept);
  return {
    x: inShape(withAxes(x, order), [sizeOf(sizes(kept)), length]),
    length,
    restore: (y) => inShape(y, result),
    restoreAll: (y) => {
      const own = axes.length === 1 ? [y.shape[1]] : sizes(axes);
      return withAxes(inShape(y, [...sizes(kept), ...own]), inverse(order));
    },
  };
}

/** The rows that a reduction joins, when all that it is given has been checked. */
export function reducedRows(
  op: string,
  x: Tensor,
  options: ReduceOptions,
  surplus: readonly unknown[],
  domain: Trait,
): Rows {
  checkOptions(op, options, REDUCE, surplus);
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, domain);
  return asRows(op, x, options);
}

/** Floating-point operations of a reduction: one for each element that it reads. */
export function reduceFlops([x]: readonly TensorType[]): number {
  return sizeOf(x.shape);
}

/** The form of an op of rows `[rows, length]`, with its own part of the kernels that compute it. */
/* @__NO_SIDE_EFFECTS__ */
export function rowsForm<P extends RowsProblem>(
  family: Family<P>,
  functions?: KernelForm<unknown>["functions"],
  libraries?: readonly ShaderFile[],
): KernelForm<unknown> {
  const problem = ({ inputs: [{ shape, dtype }] }: KernelContext<unknown>) => {
    const [ROWS, LENGTH] = shape;
    return { dtype, ROWS, LENGTH };
  };
  return { kind: "kernel", batching: "rows", family, problem, functions, libraries };
}

/** An element of a 2-D view. */
export function elementAt({ data, offset, strides }: Strided, row: number, i: number): number {
  return data[offset + row * strides[0] + i * strides[1]];
}

/** One row of a view: element i is `data[start + i · stride]`. */
export type VisitRow = (
  row: number,
  data: NumericArray,
  start: number,
  stride: number,
  length: number,
) => void;

/** Visits each row of a 2-D view. */
export function forEachRow(x: Strided, visit: VisitRow): void {
  const [rows, length] = x.shape;
  const [outer, inner] = x.strides;
  for (let row = 0; row < rows; row++) {
    visit(row, x.data, x.offset + row * outer, inner, length);
  }
}
