import { describeStranger } from "../core/copies.ts";
import { convert, isFloat } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { fill } from "../graph/cotangent.ts";
import { apply, type Tensor } from "../graph/tensor.ts";

/** Makes a scalar of another tensor's dtype and device; integers take whole numbers only. */
export function scalarLike(op: string, like: Tensor, value: number): Tensor {
  if (typeof value !== "number") {
    throw new DTypeError(
      `${op}: an operand is ${describeStranger(value)}; expected a tensor or a number`,
    );
  }
  const { dtype, device } = like;
  device.check(op);
  if (!isFloat(dtype) && convert(value, dtype) !== value) {
    throw new DTypeError(
      `${op}: number ${value} beside dtype ${dtype}; expected a value that ${dtype} holds. ` +
        "cast the tensor to f32",
    );
  }
  return apply(fill, [], { shape: [], dtype, value: convert(value, dtype) }, device);
}
