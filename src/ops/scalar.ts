import { describeStranger } from "../core/copies.ts";
import { convert, isFloat, isHalf } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { sameShape } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { fill } from "../graph/cotangent.ts";
import type { Device } from "../graph/device.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { traceStart } from "../graph/tracing.ts";
import { watch } from "../graph/watch.ts";

/** How many constants are at hand for the next graphs. */
const MOST = 16;

/** A number, and the tensor that was made of it. */
interface NumberTensor {
  readonly value: number;
  readonly x: Tensor;
}

/** Constants made last: those of a formula are the same for each tensor of a shape. */
const constants = /* @__PURE__ */ new WeakMap<Device, NumberTensor[]>();

/** Whether a constant has the type of a tensor and is as it was made. */
function fits(x: Tensor, { shape, dtype }: TensorType): boolean {
  if (x.disposed || x.dtype !== dtype || !sameShape(x.shape, shape)) return false;
  // What was made before a trace is computed before it, and what was computed has no op.
  const { op, id } = x.node;
  return op !== null && id >= traceStart;
}

function none(): NumberTensor[] {
  return [];
}

/** Makes a number a tensor like another one; integers take whole numbers only. */
export function numberLike(
  op: string,
  like: Pick<Tensor, "shape" | "dtype" | "device">,
  value: number,
): Tensor {
  if (typeof value !== "number") {
    throw new DTypeError(
      `${op}: an operand is ${describeStranger(value)}; expected a tensor or a number`,
    );
  }
  const { shape, dtype, device } = like;
  if (!isFloat(dtype) && !isHalf(dtype) && convert(value, dtype) !== value) {
    throw new DTypeError(
      `${op}: number ${value} beside dtype ${dtype}; expected a value that ${dtype} holds. ` +
        "cast the tensor to f32",
    );
  }
  const element = convert(value, dtype);
  const recent = getOrInsert(constants, device, none);
  if (!watch) {
    for (const { value, x } of recent) if (Object.is(value, element) && fits(x, like)) return x;
  }
  device.check(op);
  const x = apply(fill, [], { shape, dtype, value: element }, device);
  recent.unshift({ value: element, x });
  recent.splice(MOST);
  return x;
}
