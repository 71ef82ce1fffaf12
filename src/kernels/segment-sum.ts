import type { Accessor, Family } from "../forms/kernel.ts";
import { openRule } from "./choose.ts";
import type { ScatterProblem, SearchProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { searchSortedFile, segmentSumFile } from "./shaders.ts";

const PLACE: Pick<Accessor, "dtype"> = { dtype: "i32" };

/** Finds where values lie among sorted ones. */
export const searchSorted: Family<SearchProblem> = {
  prologueCost: 4,
  rule: openRule,
  kernels: [
    {
      kind: "direct",
      files: [searchSortedFile],
      candidates: OPEN,
      layout: ({ LENGTH, COUNT }, { WORKGROUP }) => ({
        loads: [
          { name: "x", extents: [LENGTH] },
          { name: "v", extents: [COUNT] },
        ],
        results: [{ name: "y", extents: [COUNT], ...PLACE }],
        workgroups: Math.ceil(COUNT / WORKGROUP),
      }),
    },
  ],
};

/** Adds neighbouring rows, in an order, to one. */
export const segmentSum: Family<ScatterProblem> = {
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
