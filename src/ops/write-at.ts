import { is } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { ElementContext } from "../forms/pointwise.ts";
import { Position } from "../forms/position.ts";
import { type Attributes, defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkArguments, type Tensor } from "../graph/tensor.ts";
import { ones, zeros } from "./creation.ts";
import { checkSameDType } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { where } from "./where.ts";

/** index mod n */
function placeOf<V>({ at, load, scalars, inputs: [x] }: ElementContext<Attributes, V>): V {
  const words = scalars("u32");
  const i = load(1, Position.at(at.body, [], []));
  return words.call("%", i, words.literal(x.shape[0]));
}

/** y[i] = i = index mod n ? value : x[i]. */
const writeAtOp: OpDefinition<Attributes> = defineOp<Attributes>({
  name: "writeAt",
  cpu: (y, [x, index, value]) => {
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[x.offset + i * x.strides[0]];
    y.data[index.data[index.offset] % y.data.length] = value.data[value.offset];
  },
  scatter: 2,
  form: {
    kind: "pointwise",
    element: (context) => {
      const { at, load, scalars, y } = context;
      const place = placeOf(context);
      const fresh = load(2, Position.at(at.body, [], []));
      const isWritten = scalars("u32").call("==", at.linear, place);
      return scalars(y.dtype).call("select", load(0, at), fresh, isWritten);
    },
    place: placeOf,
  },
  vjp: (g, { inputs: [, index] }) => {
    const of = { dtype: "bool", device: g.device } as const;
    const isWritten = writeAt(zeros(g.shape, of), index, ones([], of));
    return [where(isWritten, 0, g), null, sum(where(isWritten, g, 0))];
  },
});

/**
 * Replaces element `index` mod n of a tensor `[n]` by a scalar, as a ring of the last n values needs
 * it. Assigned to the state that x is, in a compiled function, it writes one element and no more.
 * @param index a u32 scalar.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example losses.assign(writeAt(losses, step, loss));
 */
export function writeAt(x: Tensor, index: Tensor, value: Tensor, ...surplus: never[]): Tensor {
  checkArguments("writeAt(x, index, value)", [x, index, value], surplus);
  checkSameDType("writeAt", x, value);
  if (
    x.rank !== 1 ||
    x.size === 0 ||
    index.rank !== 0 ||
    !is(index.dtype, "counter") ||
    value.rank !== 0
  ) {
    throw new ShapeError(
      `writeAt: x ${formatShape(x.shape)}, index ${index.dtype} ${formatShape(index.shape)}, value ` +
        `${formatShape(value.shape)}; expected [n] with n from 1, a u32 scalar and a scalar`,
    );
  }
  return apply(writeAtOp, [x, index, value], {});
}
