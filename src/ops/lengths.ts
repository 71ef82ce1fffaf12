import { apply, type Tensor } from "../graph/tensor.ts";
import { watch } from "../graph/watch.ts";
import { cast } from "./cast.ts";
import { classLabelsOp } from "./class-labels.ts";
import { inShape } from "./reshape.ts";

/**
 * Gives integer lengths, one of each example, as i32 `[n]`: labels of the classes from 0 to `most`. The CPU
 * device throws a `GradusError` when it computes them and one is none of these; under `debug` every device does.
 * @param what is called, and what has the lengths: `ctc: inputLengths`.
 */
export function checkedLengths(what: string, lengths: Tensor, most: number): Tensor {
  const whole = inShape(cast(lengths, "i32"), [lengths.size]);
  const classes = most + 1;
  if (watch) return watch.indices(what, whole, classes);
  return apply(classLabelsOp, [whole], { given: `${what}:`, classes, ignored: null });
}
