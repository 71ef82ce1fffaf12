import { describeStranger } from "../core/copies.ts";
import { convert, isFloat } from "../core/dtype.ts";
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

/** Constants made last: those of a formula are the same for each tensor of a shape. */
const constants = /* @__PURE__ */ new WeakMap<Device, Tensor[]>();

/** Whether a constant that was made before is a value in the type of a tensor. */
function isConstant(x: Tensor, value: number, { shape, dtype }: TensorType): boolean {
  if (x.disposed) return false;
  const { op, id, attributes } = x.node;
  // What was made before a trace is computed before it, and what was computed has no op.
  const isHere = op === (fill as unknown) && id >= traceStart;
  const isSame = isHere && Object.is(attributes.value, value) && x.dtype === dtype;
  return isSame && sameShape(x.shape, shape);
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
  device.check(op);
  if (!isFloat(dtype) && convert(value, dtype) !== value) {
    throw new DTypeError(
      `${op}: number ${value} beside dtype ${dtype}; expected a value that ${dtype} holds. ` +
        "cast the tensor to f32",
    );
  }
  const element = convert(value, dtype);
  const recent = getOrInsert(constants, device, () => []);
  if (!watch) for (const x of recent) if (isConstant(x, element, like)) return x;
  const made = apply(fill, [], { shape, dtype, value: element }, device);
  recent.unshift(made);
  recent.splice(MOST);
  return made;
}
