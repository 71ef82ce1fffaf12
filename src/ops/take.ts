import { checkOptions } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { normalizeAxis } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { checkedPlaces, gather, gatherRows } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { AXIS, type AxisOptions } from "./rows.ts";

/**
 * Takes the elements that integer indices of any shape name: of all elements, row-major, as NumPy's
 * and PyTorch's `take` do, or slices along an axis where one is given, as `gather` does.
 * @param indices i32 or u32. Those outside give NaN (0 for dtypes without NaN) and no gradient;
 * under `debug` they are an error.
 * @throws ShapeError or DTypeError for others.
 * @example
 * await take(tensor([[1, 2], [3, 4]]), tensor([3, 0], { dtype: "i32" })).toArray(); // [4, 1]
 */
export function take(
  x: Tensor,
  indices: Tensor,
  options: AxisOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("take", options, AXIS, surplus);
  checkTensors("take", [x, indices]);
  expectDType("take: indices have dtype", indices.dtype, "index");
  if (options.axis !== undefined) {
    return gather(x, indices, { axis: normalizeAxis("take", options.axis, x.rank) });
  }
  const flat = reshape(checkedPlaces("take", indices, x.size), [indices.size]);
  return reshape(gatherRows(reshape(x, [x.size, 1]), flat), indices.shape);
}
