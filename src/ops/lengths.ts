import { GradusError } from "../core/errors.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { watch } from "../graph/watch.ts";
import { cast } from "./cast.ts";
import { inShape } from "./reshape.ts";

interface LengthAttributes extends Record<string, unknown> {
  /** What is called, and what has the lengths: `ctc: inputLengths`. */
  what: string;
  most: number;
}

/** y = x of shape `[n]`, which the CPU checks: WebGPU cannot throw. */
const lengthsOp: OpDefinition<LengthAttributes> = defineOp<LengthAttributes>({
  name: "lengths",
  cpu: (y, [x], { what, most }) => {
    for (let i = 0; i < y.shape[0]; i++) {
      const length = x.data[x.offset + i * x.strides[0]];
      y.data[i] = length;
      if (length >= 0 && length <= most) continue;
      throw new GradusError(`${what}: ${length} of example ${i}; expected 0 to ${most}`);
    }
  },
  cost: 0,
  throws: true,
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, load }) => load(0, at),
    allows: ({ at, load, scalars, attributes: { most } }) => {
      const m = scalars("u32");
      return m.call("<", m.from(load(0, at)), m.literal(most + 1)); // one below 0 is a large u32
    },
  },
  vjp: null,
});

/**
 * Gives integer lengths, one of each example, as i32 `[n]`. The CPU device throws a `GradusError` when it
 * computes them and one is not from 0 to `most`; under `debug` every device does.
 */
export function checkedLengths(what: string, lengths: Tensor, most: number): Tensor {
  const whole = inShape(cast(lengths, "i32"), [lengths.size]);
  if (watch) return watch.indices(what, whole, most + 1);
  return apply(lengthsOp, [whole], { what, most });
}
