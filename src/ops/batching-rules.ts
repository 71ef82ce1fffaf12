import { sizeOf } from "../core/shape.ts";
import type { Batching } from "../forms/kernel.ts";
import type { Attributes, MappedCall, MappedValue, Op } from "../graph/op.ts";
import { apply, applyAll, type Tensor } from "../graph/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { stretch } from "./broadcast.ts";
import { cast } from "./cast.ts";
import { greaterEqual, less, logicalAnd } from "./compare.ts";
import { iota } from "./creation.ts";
import { inShape, withAxes } from "./reshape.ts";
import { where } from "./where.ts";

/** Gives an op's results in all calls at once, along a first axis; null where it knows no good way. */
type BatchingRule = (call: MappedCall) => readonly Tensor[] | null;

/** A value with its first axis, along which it is repeated where calls share it. */
export function inAll({ x, isShared }: MappedValue, count: number): Tensor {
  return isShared ? stretch(x, [count, ...x.shape]) : x;
}

/** Applies an op, and gives all its results. */
export function results(op: Op, inputs: readonly Tensor[], attributes: Attributes): Tensor[] {
  return op.cpuAll ? applyAll(op, inputs, attributes) : [apply(op, inputs, attributes)];
}

/** `[b, n, …]` as `[b · n, …]`. */
function joined(x: Tensor): Tensor {
  const [b, n, ...rest] = x.shape;
  return inShape(x, [b * n, ...rest]);
}

/** `[b, n, c]` as `[n, b · c]`. */
function sideBySide(x: Tensor): Tensor {
  const [b, n, c] = x.shape;
  return inShape(withAxes(x, [1, 0, 2]), [n, b * c]);
}

/** `[n, b · c]` as `[b, n, c]`. */
function oneByOne(x: Tensor, b: number, c: number): Tensor {
  return withAxes(inShape(x, [x.shape[0], b, c]), [1, 0, 2]);
}

/** Indices `[b, count]` of n rows as those of b · n rows, and -1 where they are none. */
function joinedIndices(x: Tensor, n: number): Tensor {
  const index = cast(x, "i32");
  const [b] = x.shape;
  const first = inShape(mul(iota(b, "i32", x.device), n), [b, 1]);
  const isInside = logicalAnd(greaterEqual(index, 0), less(index, n));
  return joined(where(isInside, add(index, first), -1));
}

/** How calls become one, for each way that an op may name. */
export const BATCHING_RULES: Readonly<Record<Batching, BatchingRule>> = {
  rows: ({ op, attributes, inputs, count, types }) => {
    const rows = inputs.map((input) => joined(inAll(input, count)));
    return results(op, rows, attributes).map((y, i) => inShape(y, [count, ...types[i].shape]));
  },

  product: ({ op, attributes, inputs: [a, b], count, types: [{ shape }] }) => {
    const product = (...operands: Tensor[]) => apply(op, operands, attributes);
    if (shape.length === 2 && b.isShared) {
      return [inShape(product(joined(a.x), b.x), [count, ...shape])];
    }
    if (shape.length === 2 && a.isShared) {
      // y = (bᵀ · aᵀ)ᵀ, whose rows are those of one matrix
      const columns = joined(withAxes(b.x, [0, 2, 1]));
      const [m, n] = shape;
      const y = product(columns, withAxes(a.x, [1, 0]));
      return [withAxes(inShape(y, [count, n, m]), [0, 2, 1])];
    }
    const [left, right] = [a, b].map((input) => {
      const x = inAll(input, count);
      return inShape(x, [sizeOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)]);
    });
    return [inShape(product(left, right), [count, ...shape])];
  },

  gather: ({ op, attributes, inputs: [x, index], count, types: [{ shape }] }) => {
    if (x.isShared) {
      return [inShape(apply(op, [x.x, joined(index.x)], attributes), [count, ...shape])];
    }
    if (!index.isShared) return null;
    return [oneByOne(apply(op, [sideBySide(x.x), index.x], attributes), count, shape[1])];
  },

  scatter: ({ op, attributes, inputs: [index, g], count, types: [{ shape }] }) => {
    const [rows, columns] = shape;
    if (index.isShared) {
      return [oneByOne(apply(op, [index.x, sideBySide(g.x)], attributes), count, columns)];
    }
    const places = joinedIndices(index.x, rows);
    const given = joined(inAll(g, count));
    const y = apply(op, [places, given], { ...attributes, rows: count * rows });
    return [inShape(y, [count, ...shape])];
  },
};
