import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { add, mul, square, sub } from "./arithmetic.ts";
import { equal } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { transpose } from "./reshape.ts";
import { relu } from "./unary.ts";
import { where } from "./where.ts";

/**
 * Computes the squared Euclidean distances between all rows of two matrices by one product:
 * dᵢⱼ = max(‖aᵢ‖² + ‖bⱼ‖² − 2 aᵢ·bⱼ, 0), in f32 within some 1e-6 (‖aᵢ‖² + ‖bⱼ‖²). Where
 * ‖aᵢ‖² + ‖bⱼ‖² overflows, beyond lengths of 1e19 in f32, dᵢⱼ is ∞, without a gradient.
 * @param a `[m, features]`, floats.
 * @param b `[n, features]` of the same dtype.
 * @returns `[m, n]`.
 * @throws ShapeError or DTypeError for others.
 * @example argmin(pairwiseSquaredDistances(x, centers), { axis: 1 });
 */
export function pairwiseSquaredDistances(a: Tensor, b: Tensor, ...surplus: never[]): Tensor {
  checkArguments("pairwiseSquaredDistances(a, b)", [a, b], surplus);
  checkDomain("pairwiseSquaredDistances", a.dtype, "float");
  checkSameDType("pairwiseSquaredDistances", a, b);
  if (a.rank !== 2 || b.rank !== 2 || a.shape[1] !== b.shape[1]) {
    throw new ShapeError(
      `pairwiseSquaredDistances: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; ` +
        "expected [m, features] and [n, features]",
    );
  }
  const rows = sum(square(a), { axis: 1, keepDims: true }); // [m, 1]
  const columns = sum(square(b), { axis: 1 }); // [n]
  const squares = add(rows, columns);
  const overflows = equal(squares, Number.POSITIVE_INFINITY); // ∞ − ∞ is NaN
  const distances = relu(sub(squares, mul(matmul(a, transpose(b)), 2)));
  return where(overflows, Number.POSITIVE_INFINITY, distances);
}
