import { checkSurplus } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import type { Body } from "../forms/indices.ts";
import type { Scalars } from "../forms/scalars.ts";
import { NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply } from "../graph/tensor.ts";
import { type BinaryFunction, broadcastInputs, elementwise, type Row } from "./elementwise.ts";

/** What a formula that knows more than values is given. */
export interface Given<V> {
  readonly dtype: DType;
  readonly m: Scalars<V>;
  readonly a: V;
  readonly b: V;
  /** Names what is used often, which shaders would compute as often. */
  bind: Body<V>["bind"];
}

/** A function of two tensors of a row whose formula depends on the dtype. */
/* @__NO_SIDE_EFFECTS__ */
export function byDType(
  row: Omit<Row, "formula">,
  formula: <V>(given: Given<V>) => V,
): BinaryFunction {
  const op: OpDefinition<Record<string, never>> = {
    ...elementwise({ ...row, formula: "+" }),
    form: {
      kind: "pointwise",
      libraries: row.libraries,
      element: ({ at, load, inputs: [{ dtype }], scalars }) => {
        const [a, b] = [0, 1].map((i) => load(i, at));
        return formula({ dtype, m: scalars(dtype), a, b, bind: (x) => at.body.bind(x) });
      },
    },
  };
  const call = `${row.name}(a, b)`;
  return (a, b, ...surplus) => {
    checkSurplus(call, surplus);
    return apply(op, broadcastInputs(row.name, a, b), NO_ATTRIBUTES);
  };
}
