import type { Accessor, Family, Kernel, KernelLayout } from "../forms/kernel.ts";
import { openRule, sortRule } from "./choose.ts";
import type { MergeProblem, SortProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { mergeRunsFile, ORDER, sortRunsDirectFile, sortRunsFile } from "./shaders.ts";

const functions = { order_key: "(x: Acc) -> u32" };

/** Elements of rows and what an order says of each; both are stored of `kept` elements of a row. */
function ordered(
  rows: number,
  length: number,
  kept: number,
): Pick<KernelLayout, "loads" | "results"> {
  const order: Pick<Accessor, "dtype"> = { dtype: "i32" };
  return {
    loads: [
      { name: "x", extents: [rows, length], ragged: [false, true] },
      { name: "order", extents: [rows, length], ...order },
    ],
    results: [
      { name: "y", extents: [rows, kept] },
      { name: "z", extents: [rows, kept], ...order },
    ],
  };
}

/** A kernel that sorts and cuts runs: a workgroup has one of them, or an invocation one element. */
/* @__NO_SIDE_EFFECTS__ */
function sorter(own: Pick<Kernel, "kind" | "files" | "candidates">): Kernel<SortProblem> {
  return {
    ...own,
    functions,
    libraries: ORDER,
    layout: ({ ROWS, LENGTH, RUN, KEEP }, { WORKGROUP }) => {
      const isTree = own.kind === "workgroup";
      const RUNS = Math.ceil(LENGTH / RUN);
      const kept = Math.floor(LENGTH / RUN) * KEEP + Math.min(KEEP, LENGTH % RUN);
      return {
        ...ordered(ROWS, LENGTH, kept),
        constants: isTree ? { RUNS } : undefined,
        workgroups: isTree ? ROWS * RUNS : Math.ceil((ROWS * LENGTH) / WORKGROUP),
        memory: isTree ? 4 * WORKGROUP : 0,
      };
    },
  };
}

/** Sorts runs of each row and keeps the first elements of each. */
export const sortRuns: Family<SortProblem> = {
  prologueCost: 1,
  rule: sortRule,
  kernels: [
    sorter({ kind: "workgroup", files: [sortRunsFile], candidates: [{ WORKGROUP: 256 }] }),
    sorter({ kind: "direct", files: [sortRunsDirectFile], candidates: OPEN }),
  ],
};

/** Sorts whole rows. It has no kernels: where there are shaders, runs are sorted and merged. */
export const sortedRows: Family<SortProblem> = {
  computes: "sort",
  prologueCost: 1,
  kernels: [],
  rule: () => [],
};

/** Merges each two neighbouring sorted runs of a row. */
export const mergeRuns: Family<MergeProblem> = {
  prologueCost: 0,
  rule: openRule,
  kernels: [
    {
      kind: "direct",
      files: [mergeRunsFile],
      functions,
      libraries: ORDER,
      candidates: OPEN,
      layout: ({ ROWS, LENGTH }, { WORKGROUP }) => ({
        ...ordered(ROWS, LENGTH, LENGTH),
        workgroups: Math.ceil((ROWS * LENGTH) / WORKGROUP),
      }),
    },
  ],
};
