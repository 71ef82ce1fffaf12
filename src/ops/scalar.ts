import { describeStranger } from "../core/copies.ts";
import { convert, isFloat } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { sameShape } from "../core/shape.ts";
import { fill } from "../graph/cotangent.ts";
import type { Device } from "../graph/device.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { traceStart } from "../graph/tracing.ts";
import { watch } from "../graph/watch.ts";

/** How many constants are at hand for the next graphs. */
const MOST = 16;

/** Constants made last: those of a formula are the same for each tensor of a shape. */
const constants = /* @__PURE__ */ new WeakMap<Device, Tensor[]>();

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
  const isSame = (x: Tensor) =>
    !x.disposed &&
    x.node.op === (fill as unknown) &&
    x.node.id >= traceStart() && // what was made before a trace is computed before it
    Object.is(x.node.attributes.value, element) &&
    x.dtype === dtype &&
    sameShape(x.shape, shape);
  const known = watch ? undefined : recent.find(isSame);
  if (known) return known;
  const made = apply(fill, [], { shape, dtype, value: element }, device);
  recent.unshift(made);
  recent.splice(MOST);
  return made;
}
