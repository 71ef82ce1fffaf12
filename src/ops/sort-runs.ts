import type { DType } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { OwnFunctions } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import { wgslType } from "../forms/wgsl.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { applyAll, type Tensor } from "../graph/tensor.ts";
import { runOf } from "../kernels/choose.ts";
import { mergeRuns, sortRuns } from "../kernels/sort-runs.ts";
import { broadcastTo } from "./broadcast.ts";
import { iota } from "./creation.ts";
import { reshape } from "./reshape.ts";
import { elementAt, forEachRow } from "./rows.ts";

interface Direction extends Record<string, unknown> {
  descending: boolean;
}

export interface RunAttributes extends Direction {
  /** How many elements are sorted among themselves; the last run of a row may be shorter. */
  run: number;
  /** How many of each run are kept. */
  keep: number;
}

/**
 * Sorts runs of each row of x, `[rows, n]`, and keeps the first elements of each, with what `order`
 * says of them; with their places in the row where that is left out. Stable; NaN comes last.
 */
export function sortRows(
  [values, indices]: readonly (Strided | undefined)[],
  [x, order]: readonly Strided[],
  { run, keep, descending }: RunAttributes,
): void {
  let at = 0;
  forEachRow(x, (row, data, start, stride, length) => {
    const compare = (a: number, b: number) => {
      const [p, q] = [data[start + a * stride], data[start + b * stride]];
      return +Number.isNaN(p) - +Number.isNaN(q) || (descending ? q - p : p - q);
    };
    for (let first = 0; first < length; first += run) {
      const size = Math.min(run, length - first);
      const places = Array.from({ length: size }, (_, i) => first + i).sort(compare);
      for (const place of places.slice(0, keep)) {
        if (values) values.data[at] = data[start + place * stride];
        if (indices) indices.data[at] = order ? elementAt(order, row, place) : place;
        at++;
      }
    }
  });
}

/** What is kept of a row of runs. */
function keptOf(length: number, { run, keep }: RunAttributes): number {
  return Math.floor(length / run) * keep + Math.min(keep, length % run);
}

/** y = runs of the rows of x, sorted and cut; z = what lies in order where these lay in x. */
export const sortRunsOp: OpDefinition<RunAttributes> = defineOp<RunAttributes>({
  name: "sortRuns",
  infer: ([{ shape, dtype }, order], attributes) => {
    const kept = [shape[0], keptOf(shape[1], attributes)];
    return [
      { shape: kept, dtype },
      { shape: kept, dtype: order.dtype },
    ];
  },
  flops: ([{ shape }]) => sizeOf(shape),
  cpuAll: sortRows,
  form: {
    kind: "kernel",
    batching: "rows",
    family: sortRuns,
    problem: ({ inputs: [{ shape, dtype }], attributes: { run, keep } }) => {
      const [ROWS, LENGTH] = shape;
      return { dtype, ROWS, LENGTH, RUN: run, KEEP: keep };
    },
    functions: keyFunction,
  },
  vjp: null,
});

interface MergeAttributes extends Direction {
  /** How many elements are sorted among themselves already. */
  run: number;
}

/** The same of rows whose runs are sorted: each two neighbouring ones become one. */
export const mergeRunsOp: OpDefinition<MergeAttributes> = defineOp<MergeAttributes>({
  name: "mergeRuns",
  infer: ([x, order]) => [x, order],
  flops: ([{ shape }]) => sizeOf(shape),
  cpuAll: (results, inputs, { run, descending }) =>
    sortRows(results, inputs, { run: 2 * run, keep: 2 * run, descending }),
  form: {
    kind: "kernel",
    batching: "rows",
    family: mergeRuns,
    problem: ({ inputs: [{ shape, dtype }], attributes: { run } }) => {
      const [ROWS, LENGTH] = shape;
      return { dtype, ROWS, LENGTH, RUN: run };
    },
    functions: keyFunction,
  },
  vjp: null,
});

/**
 * Sorts the rows of x, `[rows, n]`, and keeps the first elements of each, with their places in the
 * row: by runs, which are merged, or cut again where not all is kept.
 */
export function runsToSort(
  x: Tensor,
  { keep, descending }: Direction & Pick<RunAttributes, "keep">,
  traits: Traits,
): Tensor[] {
  const [, n] = x.shape;
  const run = runOf(n, keep, traits);
  const order = broadcastTo(reshape(iota(n, "i32", x.device), [1, n]), x.shape);
  const sorted = (given: Tensor[]) =>
    applyAll(sortRunsOp, given, { run, keep: Math.min(keep, run), descending });
  let found = sorted([x, order]);
  if (keep === n) {
    for (let size = run; size < n; size *= 2) {
      found = applyAll(mergeRunsOp, found, { run: size, descending });
    }
  } else {
    // What is kept of all runs is less each time, until it is one run.
    for (let length = n; length > run; found = sorted(found)) length = found[0].shape[1];
  }
  return found;
}

/** By what elements are sorted. */
export function keyFunction(type: DType, { descending }: Direction): OwnFunctions {
  const order = descending ? "order_key_down" : "order_key";
  return { order_key: `${order}_${wgslType(type) as "f32" | "i32" | "u32"}` };
}
