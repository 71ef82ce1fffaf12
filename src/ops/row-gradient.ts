import { GradusError } from "../core/errors.ts";
import { passThrough } from "../graph/identity.ts";
import type { OpDefinition } from "../graph/op.ts";
import type { RowGradients } from "../graph/row-gradients.ts";
import type { State } from "../graph/state.ts";
import { substitute } from "../graph/substitute.ts";
import { apply, Tensor } from "../graph/tensor.ts";
import { sub } from "./arithmetic.ts";
import { greaterEqual, less, logicalAnd } from "./compare.ts";
import { gatherRows, sumRowsAt } from "./gather.ts";
import { overwriteSorted } from "./overwrite.ts";
import { placesAmong } from "./search-sorted.ts";
import { concat } from "./slice.ts";
import { sort } from "./sort.ts";
import { where } from "./where.ts";

interface RowAttributes extends Record<string, unknown> {
  /** Whether the indices are sorted, and what belongs to equal ones is at the last of them. */
  isSorted: boolean;
}

/** Rows that a gradient is made of: `[count, columns]`, and i32 `[count]` that says whose they are. */
interface GradientRows {
  readonly index: Tensor;
  readonly values: Tensor;
}

/** The rows of a gradient, if it is made of such. */
function rowsOf(g: Tensor): (GradientRows & RowAttributes) | null {
  if (!(g instanceof Tensor) || g.node.op?.rows !== rules) return null;
  const { node } = g;
  const [, index, values] = node.inputs.map((input) => new Tensor(input));
  return { index, values, ...(node.attributes as RowAttributes) };
}

/** The rows of a gradient, added up to one for each index: at the last of equal ones, else zeros. */
function summedRows(g: Tensor): GradientRows | null {
  const found = rowsOf(g);
  if (!found || found.isSorted) return found;
  const { index, values } = found;
  const { values: sorted } = sort(index);
  const isRow = logicalAnd(greaterEqual(index, 0), less(index, g.shape[0]));
  const place = where(isRow, sub(placesAmong(sorted, index, "right"), 1), -1);
  return { index: sorted, values: sumRowsAt(place, values, index.size) };
}

const rules: RowGradients = {
  sum: (terms) => {
    if (terms.length === 1) return terms[0];
    const all = terms.map(rowsOf).filter((rows) => rows !== null);
    if (all.length < terms.length) return null;
    const index = concat(all.map((rows) => rows.index));
    return rowGradient(index, concat(all.map(({ values }) => values)), terms[0].shape[0]);
  },
  limit: (limit, gradients) => {
    const rows = gradients.map(summedRows);
    const limited = limit(gradients.map((g, i) => rows[i]?.values ?? g));
    if (!Array.isArray(limited)) return limited; // which whoever called refuses
    return limited.map((values, i) => {
      const own = rows[i];
      return own && values instanceof Tensor
        ? rowGradient(own.index, values, gradients[i].shape[0], true)
        : values;
    });
  },
  assignments: (of, gradients) => {
    const { kind, parameters, isRowwise, slots, clip } = of;
    const limited = rules.limit(clip, gradients);
    if (!Array.isArray(limited) || limited.length !== parameters.length) return of.next(limited);
    const indices = new Map<State, Tensor>();
    const given = limited.map((g, i) => {
      const rows = summedRows(g);
      if (!rows) return g;
      if (!isRowwise) throw noRows(kind, parameters[i]);
      const own = [parameters[i], ...slots.map((all) => all[i])];
      for (const state of own) indices.set(state, rows.index);
      return rows.values;
    });
    const taken = [...indices].map(
      ([state, index]) => [state, gatherRows(state, index, true)] as const,
    );
    const next = substitute(taken, () => of.next(given));
    return next.map(([state, value]) => {
      const index = indices.get(state);
      return [state, index ? overwriteSorted(state, index, value) : value];
    });
  },
};

function noRows(kind: string, { name }: State): GradusError {
  return new GradusError(
    `${kind}: the gradient of "${name}" is of rows, as lookups with sparse: true give it; expected ` +
      "SGD without momentum and weightDecay, or Adam without amsgrad and weightDecay. Leave sparse out",
  );
}

/** y = the first input, the sums of the third's rows that the second names. */
const rowGradientOp: OpDefinition<RowAttributes> = {
  ...passThrough("rowGradient", (g) => [g, null, null]),
  rows: rules,
};

/**
 * Makes the gradient of a tensor with so many rows from rows that an index names: what is made of it is
 * right of the whole, and an optimizer finds the rows, so that nobody need compute it.
 */
export function rowGradient(index: Tensor, values: Tensor, rows: number, isSorted = false): Tensor {
  return apply(rowGradientOp, [sumRowsAt(index, values, rows), index, values], { isSorted });
}
