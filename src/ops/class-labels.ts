import { GradusError } from "../core/errors.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { watch } from "../graph/watch.ts";
import { cast } from "./cast.ts";

interface LabelAttributes extends Record<string, unknown> {
  /** What is called, and what it is given: `crossEntropy: label`, `ctc: inputLengths:`. */
  given: string;
  classes: number;
  /** A label that is none of the classes and yet allowed; null for no such. */
  ignored: number | null;
}

/** y = x of shape `[n]`, which the CPU checks: WebGPU cannot throw. */
export const classLabelsOp: OpDefinition<LabelAttributes> = defineOp<LabelAttributes>({
  name: "classLabels",
  cpu: (y, [x], { given, classes, ignored }) => {
    for (let i = 0; i < y.shape[0]; i++) {
      const label = x.data[x.offset + i * x.strides[0]];
      y.data[i] = label;
      if ((label >= 0 && label < classes) || label === ignored) continue;
      const also = ignored === null ? "" : ` or ${ignored}, which is ignored`;
      throw new GradusError(
        `${given} ${label} of example ${i}; expected 0 to ${classes - 1}${also}`,
      );
    }
  },
  cost: 0,
  throws: true,
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, load }) => load(0, at),
    allows: ({ at, load, scalars, attributes: { classes, ignored } }) => {
      const m = scalars("u32");
      const label = m.from(load(0, at));
      const isClass = m.call("<", label, m.literal(classes)); // a negative label is a large u32
      const other = Number(ignored) | 0;
      return other === ignored
        ? m.call("|", isClass, m.call("==", label, m.literal(other)))
        : isClass;
    },
  },
  vjp: null,
});

/**
 * Gives integer labels `[n]` as i32. The CPU device throws a `GradusError` when it computes them and one is
 * outside `[0, classes)` and not the ignored one; under `debug` every device does.
 */
export function classLabels(
  caller: string,
  labels: Tensor,
  classes: number,
  ignored: number | null = null,
): Tensor {
  const whole = cast(labels, "i32");
  if (watch) return watch.indices(caller, whole, classes, ignored);
  return apply(classLabelsOp, [whole], { given: `${caller}: label`, classes, ignored });
}
