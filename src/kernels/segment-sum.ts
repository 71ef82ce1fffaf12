import type { Accessor, Family } from "../forms/kernel.ts";
import { openRule } from "./choose.ts";
import type { ScatterProblem, SearchProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { searchSortedFile, segmentSumFile } from "./shaders.ts";

const PLACE: Pick<Accessor, "dtype"> = { dtype: "i32" };

/** Finds where values lie among the sorted ones of their rows. */
export const sortedPlaces: Family<SearchProblem> = {
  computes: "search",
  prologueCost: 4,
  rule: openRule,
  kernels: [
    {
      kind: "direct",
      files: [searchSortedFile],
      functions: { comes_before: "(x: Acc, v: Acc) -> bool" },
      candidates: OPEN,
      layout: ({ ROWS, LENGTH, COUNT }, { WORKGROUP }) => ({
        loads: [
          { name: "x", extents: [ROWS, LENGTH] },
          { name: "v", extents: [ROWS, COUNT] },
        ],
        results: [{ name: "y", extents: [ROWS, COUNT], ...PLACE }],
        workgroups: Math.ceil((ROWS * COUNT) / WORKGROUP),
      }),
    },
  ],
};

/** Adds neighbouring rows, in an order, to one. */
export const segmentSums: Family<ScatterProblem> = {
  prologueCost: 4,
  rule: openRule,
  kernels: [
    {
      kind: "direct",
      files: [segmentSumFile],
      candidates: OPEN,
      layout: ({ ROWS, COLUMNS, COUNT }, { WORKGROUP }) => ({
        loads: [
          { name: "starts", extents: [ROWS + 1], ...PLACE },
          { name: "order", extents: [COUNT], ...PLACE },
          { name: "g", extents: [COUNT, COLUMNS] },
        ],
        results: [{ name: "y", extents: [ROWS, COLUMNS] }],
        workgroups: Math.ceil((ROWS * COLUMNS) / WORKGROUP),
      }),
    },
  ],
};
