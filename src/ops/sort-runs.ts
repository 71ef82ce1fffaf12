import type { DType } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { Accessor, KernelContext, Stage } from "../forms/kernel.ts";
import { accumulator } from "../forms/wgsl.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { forEachRow } from "./rows.ts";
import { mergeRunsShader, ORDER, sortRunsDirectShader, sortRunsShader } from "./shaders.ts";

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
        if (indices) indices.data[at] = order ? element(order, row, place) : place;
        at++;
      }
    }
  });
}

function element({ data, offset, strides }: Strided, row: number, i: number): number {
  return data[offset + row * strides[0] + i * strides[1]];
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
  form: { kind: "kernel", prologueCost: 1, stages: sortStages },
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
  form: { kind: "kernel", prologueCost: 0, stages: mergeStages },
  vjp: null,
});

/** Runs from this length on are worth a workgroup each. */
const LONG = 65;
const WORKGROUP = 256;

function loadsOf({ inputs: [x, order] }: KernelContext<unknown>): Accessor[] {
  return [
    { name: "x", input: 0, extents: x.shape, ragged: [false, true] },
    { name: "order", input: 1, extents: order.shape },
  ];
}

/** By what elements are sorted. */
function sortKeys(dtype: DType, descending: boolean): string {
  return `fn order_key(x: Acc) -> u32 { return order_key_${accumulator(dtype)}(x, ${descending}); }`;
}

function sortStages(context: KernelContext<RunAttributes>): Stage[] {
  const { inputs, y, traits, attributes } = context;
  const [{ shape, dtype }] = inputs;
  const [rows, length] = shape;
  const { run, keep, descending } = attributes;
  const runs = Math.ceil(length / run);
  const hasTrees = traits.workgroupMemory && run >= LONG && run <= WORKGROUP;
  const threads = hasTrees ? WORKGROUP : traits.threads;
  return [
    {
      shader: hasTrees ? sortRunsShader : sortRunsDirectShader,
      type: dtype,
      constants: { ROWS: rows, LENGTH: length, RUN: run, RUNS: runs, KEEP: keep },
      functions: sortKeys(dtype, descending),
      libraries: ORDER,
      loads: loadsOf(context),
      store: { extents: y.shape },
      others: [{ extents: y.shape }],
      workgroups: hasTrees ? rows * runs : Math.ceil((rows * length) / threads),
      threads,
      memory: hasTrees ? 4 * threads : 0,
    },
  ];
}

function mergeStages(context: KernelContext<MergeAttributes>): Stage[] {
  const { inputs, y, traits, attributes } = context;
  const [{ shape, dtype }] = inputs;
  const [rows, length] = shape;
  const { threads } = traits;
  return [
    {
      shader: mergeRunsShader,
      type: dtype,
      constants: { ROWS: rows, LENGTH: length, RUN: attributes.run },
      functions: sortKeys(dtype, attributes.descending),
      libraries: ORDER,
      loads: loadsOf(context),
      store: { extents: y.shape },
      others: [{ extents: y.shape }],
      workgroups: Math.ceil((rows * length) / threads),
      threads,
    },
  ];
}
