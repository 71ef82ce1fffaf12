import { DTYPES, type NumericArray } from "../core/dtype.ts";
import type { KernelForm } from "../forms/kernel.ts";
import { type Attributes, defineOp, type OpDefinition } from "../graph/op.ts";
import { apply } from "../graph/tensor.ts";
import { partLength } from "../kernels/choose.ts";
import { reduce, reduceParts } from "../kernels/reduce.ts";
import { cast } from "./cast.ts";
import { forEachRow, reduceFlops, rowsForm } from "./rows.ts";

/** What one reduction of rows has of its own. */
interface RowReduction
  extends Pick<OpDefinition<Attributes>, "name" | "ofNothing" | "vjp">,
    Pick<KernelForm<unknown>, "functions" | "libraries"> {
  /** Combines elements of a row: the specification. */
  row(data: NumericArray, start: number, stride: number, length: number): number;
}

interface PartAttributes extends Attributes {
  /** Elements that are combined; what is left of a row at its end may be less. */
  part: number;
}

/** An op that combines each row of `[rows, length]`; long rows in parts, and then what these give. */
/* @__NO_SIDE_EFFECTS__ */
export function rowReduction(reduction: RowReduction): OpDefinition<Attributes> {
  const { row, functions, libraries, ...facts } = reduction;
  const whole = rowsForm(reduce, functions, libraries);
  const parts = defineOp<PartAttributes>({
    name: facts.name,
    infer: ([{ shape, dtype }], { part }) => {
      return { shape: [shape[0], Math.ceil(shape[1] / part)], dtype: DTYPES[dtype].accumulate };
    },
    cpu: (y, [x], { part }) => {
      let at = 0;
      forEachRow(x, (_, data, start, stride, length) => {
        for (let i = 0; i < length; i += part) {
          y.data[at++] = row(data, start + i * stride, stride, Math.min(part, length - i));
        }
      });
    },
    flops: reduceFlops,
    form: {
      ...whole,
      family: reduceParts,
      problem: (context) => ({ ...whole.problem(context), CHUNK: context.attributes.part }),
    } as KernelForm<PartAttributes>,
    vjp: null,
  });
  const op: OpDefinition<Attributes> = defineOp<Attributes>({
    ...facts,
    infer: ([{ shape, dtype }]) => ({ shape: [shape[0]], dtype }),
    cpu: (y, [x]) =>
      forEachRow(x, (i, ...place) => {
        y.data[i] = row(...place);
      }),
    flops: reduceFlops,
    form: whole,
    lower: ([x], _, traits) => {
      const part = partLength(x.shape, traits);
      if (part === null) return null;
      const y = apply(op, [apply(parts, [x], { part })], {});
      return [y.dtype === x.dtype ? y : cast(y, x.dtype)];
    },
  });
  return op;
}
