import { checkSurplus } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { broadcastShapes, checkShape, formatShape, type Shape, sameShape } from "../core/shape.ts";
import { along } from "../forms/map.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { checkDomain } from "./domain.ts";
import { inShape } from "./reshape.ts";
import { rowReduction } from "./row-reduction.ts";
import { asRows } from "./rows.ts";
import { checkTensorList } from "./tensor-list.ts";

interface BroadcastAttributes extends Record<string, unknown> {
  shape: Shape;
}

/** y[…, i, …] = x[…, 0, …] on axes of size 1; axes missing in front count as 1. */
const broadcastToOp: OpDefinition<BroadcastAttributes> = defineOp<BroadcastAttributes>({
  name: "broadcastTo",
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  cost: 0,
  form: {
    kind: "map",
    maps: ([x], { shape }) => [
      x.shape.map((n, axis) => along(axis + shape.length - x.shape.length, 0, n === 1 ? 0 : 1)),
    ],
  },
  vjp: (g, { inputs: [x] }) => [sumInto(g, x.shape)],
});

/** Repeats a tensor along axes of size 1 and new leading axes, without copying. */
export function broadcastTo(x: Tensor, shape: Shape, ...surplus: never[]): Tensor {
  checkArguments("broadcastTo(x, shape)", [x], surplus);
  const target = checkShape("broadcastTo", shape);
  if (!canBroadcast(x.shape, target)) {
    throw new ShapeError(
      `broadcastTo: shape ${formatShape(x.shape)} to ${formatShape(target)}; ` +
        "expected each axis, counted from the last, to be 1 or equal",
    );
  }
  return stretch(x, target);
}

/** Does what `broadcastTo` does to a shape that is known to be one. */
export function stretch(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(broadcastToOp, [x], { shape });
}

/** Whether a shape broadcasts to another. */
export function canBroadcast(from: Shape, to: Shape): boolean {
  const missing = to.length - from.length;
  return missing >= 0 && from.every((n, axis) => n === 1 || n === to[axis + missing]);
}

/**
 * Repeats tensors along axes of size 1 and new leading axes to the one shape that they broadcast to,
 * without copying.
 * @throws ShapeError where there is none.
 * @example broadcastTensors([zeros([3, 1]), zeros([4])]).map(({ shape }) => shape); // [[3, 4], [3, 4]]
 */
export function broadcastTensors(tensors: readonly Tensor[], ...surplus: never[]): Tensor[] {
  checkSurplus("broadcastTensors(tensors)", surplus);
  checkTensorList("broadcastTensors", tensors);
  const shape = tensors.reduce<Shape>(
    (all, x) => broadcastShapes("broadcastTensors", all, x.shape),
    [],
  );
  return tensors.map((x) => stretch(x, shape));
}

/** Sums over the axes along which a smaller shape was broadcast: the adjoint of `broadcastTo`. */
export function sumTo(x: Tensor, shape: Shape, ...surplus: never[]): Tensor {
  checkArguments("sumTo(x, shape)", [x], surplus);
  const target = checkShape("sumTo", shape);
  if (sameShape(x.shape, target)) return x;
  if (!canBroadcast(target, x.shape)) {
    throw new ShapeError(
      `sumTo: shape ${formatShape(x.shape)} to ${formatShape(target)}; ` +
        "expected one that broadcasts to the former",
    );
  }
  checkDomain("sumTo", x.dtype, "number");
  return sumInto(x, target);
}

/** Does what `sumTo` does to a shape that is known to be one. */
function sumInto(x: Tensor, shape: Shape): Tensor {
  const missing = x.rank - shape.length;
  const axis: number[] = [];
  for (let i = 0; i < x.rank; i++) if (shape[i - missing] !== x.shape[i]) axis.push(i);
  return inShape(sumRows(asRows("sumTo", x, { axis }).x), shape);
}

/** y[row] = Σ_i x[row, i], accumulated in float64. */
const sumOp = rowReduction({
  name: "sum",
  row: (data, start, stride, length) => {
    let total = 0;
    for (let i = 0; i < length; i++) total += data[start + i * stride];
    return total;
  },
  ofNothing: 0,
  functions: () => ({ identity: (m) => m.literal(0), combine: "+" }),
  vjp: (g, { inputs: [x] }) => [stretch(inShape(g, [x.shape[0], 1]), x.shape)],
});

/** Sums each row of `[rows, length]`: what every sum is made of. */
export function sumRows(x: Tensor): Tensor {
  return apply(sumOp, [x], NO_ATTRIBUTES);
}
