import { checkOptions } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { broadcastShapes, formatShape, normalizeAxis, type Shape } from "../core/shape.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { mul } from "./arithmetic.ts";
import { orderedAxes } from "./axes.ts";
import { contract } from "./contract.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";

/** Checks two operands of a product: numbers of one dtype. */
function checkFactors(call: string, a: Tensor, b: Tensor, surplus: readonly never[]): void {
  checkArguments(call, [a, b], surplus);
  const op = call.slice(0, call.indexOf("("));
  checkDomain(op, a.dtype, "number");
  checkSameDType(op, a, b);
}

/**
 * Multiplies each element of one vector by each of another: yᵢⱼ = aᵢ bⱼ.
 * @param a numbers; other shapes than `[n]` are flattened, as in NumPy.
 * @returns `[n, m]`.
 * @throws DTypeError for two dtypes, or bools.
 * @example await outer(tensor([1, 2]), tensor([3, 4])).toArray(); // [[3, 4], [6, 8]]
 */
export function outer(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkFactors("outer(a, b)", a, b, surplus);
  return mul(reshape(a, [a.size, 1]), reshape(b, [b.size]));
}

/**
 * Sums products over the last axis of both: y[…, …′] = Σᵢ a[…, i] b[…′, i], as NumPy's `inner`
 * does; scalars multiply.
 * @throws ShapeError for last axes that differ; DTypeError for two dtypes, or bools.
 * @example await inner(tensor([1, 2]), tensor([3, 4])).item(); // 11
 */
export function inner(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkFactors("inner(a, b)", a, b, surplus);
  if (a.rank === 0 || b.rank === 0) return mul(a, b);
  return contracted("inner", a, b, [a.rank - 1], [b.rank - 1]);
}

/**
 * Multiplies as NumPy's `dot` does: vectors give Σᵢ aᵢ bᵢ, matrices their product, more axes the
 * sum over the last of a and the last but one of b, or its only one; scalars multiply.
 * @throws ShapeError for such axes that differ; DTypeError for two dtypes, or bools.
 * @example await dot(tensor([1, 2]), tensor([3, 4])).item(); // 11
 */
export function dot(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkFactors("dot(a, b)", a, b, surplus);
  if (a.rank === 0 || b.rank === 0) return mul(a, b);
  return contracted("dot", a, b, [a.rank - 1], [Math.max(0, b.rank - 2)]);
}

/**
 * Sums the products of all elements of two tensors: Σᵢ aᵢ bᵢ of both flattened, as NumPy's `vdot`
 * does.
 * @throws ShapeError for other sizes; DTypeError for two dtypes, or bools.
 * @example await vdot(tensor([[1, 2]]), tensor([[3], [4]])).item(); // 11
 */
export function vdot(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkFactors("vdot(a, b)", a, b, surplus);
  if (a.size === b.size) return sum(mul(reshape(a, [a.size]), reshape(b, [b.size])));
  throw new ShapeError(
    `vdot: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; expected as many elements`,
  );
}

/**
 * Sums products along one axis of two tensors that broadcast on the others: y = Σᵢ a[…, i] b[…, i],
 * the array API's `vecdot`.
 * @param options `axis`, the last when left out, counted in the shape that both broadcast to.
 * @throws ShapeError for shapes that do not broadcast, or another size along the axis; DTypeError
 * for two dtypes, or bools.
 * @example await vecdot(tensor([[1, 2], [3, 4]]), tensor([5, 6])).toArray(); // [17, 39]
 */
export function vecdot(
  a: Tensor,
  b: Tensor,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("vecdot", options, AXIS, surplus);
  checkFactors("vecdot(a, b, options)", a, b, []);
  const shape = broadcastShapes("vecdot", a.shape, b.shape);
  const axis = normalizeAxis("vecdot", options.axis ?? -1, shape.length);
  const own = ({ shape: given }: Tensor) => given[given.length - shape.length + axis];
  if (own(a) !== own(b)) {
    throw new ShapeError(
      `vecdot: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; expected one size along ` +
        `axis ${axis}`,
    );
  }
  return sum(mul(a, b), { axis });
}

/**
 * Sums products over axes of two tensors, the others of a coming first and then those of b, as
 * NumPy's `tensordot` does.
 * @param axes the axes of a and those of b that go with them, or how many: the last of a and the
 * first of b; 2 when left out.
 * @throws ShapeError for axes that are not there, repeat, or differ in size; DTypeError for two
 * dtypes, or bools.
 * @example tensordot(zeros([2, 3, 4]), zeros([4, 3, 5]), [[1, 2], [1, 0]]).shape; // [2, 5]
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
  ...surplus: never[]
): Tensor {
  checkFactors("tensordot(a, b, axes)", a, b, surplus);
  const isCount = typeof axes === "number";
  const most = Math.min(a.rank, b.rank);
  const isPair = Array.isArray(axes) && axes.length === 2 && axes.every(Array.isArray);
  const isValid = isCount
    ? Number.isInteger(axes) && axes >= 0 && axes <= most
    : isPair && axes[0].length === axes[1].length;
  if (!isValid) {
    throw new ShapeError(
      `tensordot: axes ${quote(axes)}; expected an integer from 0 to ${most}, or as many axes of a ` +
        "as of b",
    );
  }
  const count = isCount ? axes : 0;
  const [left, right] = isCount
    ? [Array.from({ length: count }, (_, i) => a.rank - count + i), [...Array(count).keys()]]
    : axes;
  return contracted("tensordot", a, b, left, right);
}

/** Σ over axes of a and the axes of b that go with them. */
function contracted(
  op: string,
  a: Tensor,
  b: Tensor,
  left: readonly number[],
  right: readonly number[],
): Tensor {
  const [own, its] = [orderedAxes(op, left, a.rank), orderedAxes(op, right, b.rank)];
  for (const [i, axis] of own.entries()) {
    if (a.shape[axis] === b.shape[its[i]]) continue;
    throw new ShapeError(
      `${op}: axis ${axis} of ${formatShape(a.shape)} and ${its[i]} of ${formatShape(b.shape)} ` +
        `differ (${a.shape[axis]} vs ${b.shape[its[i]]}); expected one size`,
    );
  }
  // Labels: those of a are 0, 1, …; those of b go on, but where they are summed over together.
  const ofA = [...a.shape.keys()];
  const ofB = b.shape.map((_, axis) => {
    const i = its.indexOf(axis);
    return i < 0 ? a.rank + axis : own[i];
  });
  const rest = [...ofA, ...ofB].filter((label) => !own.includes(label));
  return contract({ x: a, labels: ofA }, { x: b, labels: ofB }, rest);
}

/**
 * Multiplies each element of one tensor by the whole other one, the Kronecker product: along each
 * axis the sizes multiply, axes missing in front count as 1.
 * @throws DTypeError for two dtypes, or bools.
 * @example await kron(tensor([1, 10]), tensor([5, 6])).toArray(); // [5, 6, 50, 60]
 */
export function kron(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkFactors("kron(a, b)", a, b, surplus);
  const rank = Math.max(a.rank, b.rank);
  const full = ({ shape }: Tensor): Shape => [...new Array(rank - shape.length).fill(1), ...shape];
  const [m, n] = [full(a), full(b)];
  const left = reshape(
    a,
    m.flatMap((size) => [size, 1]),
  );
  const right = reshape(
    b,
    n.flatMap((size) => [1, size]),
  );
  return reshape(
    mul(left, right),
    m.map((size, axis) => size * n[axis]),
  );
}
