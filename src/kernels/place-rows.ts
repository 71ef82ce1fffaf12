import type { Family } from "../forms/kernel.ts";
import { openRule } from "./choose.ts";
import type { RowsProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { placeRowsFile } from "./shaders.ts";

/** Puts each element of a row where a permutation says. */
export const placeRows: Family<RowsProblem> = {
  computes: "rowPlaces",
  prologueCost: 64,
  rule: openRule,
  kernels: [
    {
      kind: "direct",
      files: [placeRowsFile],
      candidates: OPEN,
      layout: ({ ROWS, LENGTH }, { WORKGROUP }) => ({
        loads: [
          { name: "order", extents: [ROWS, LENGTH], dtype: "i32" },
          { name: "g", extents: [ROWS, LENGTH] },
        ],
        results: [{ name: "y", extents: [ROWS, LENGTH] }],
        workgroups: Math.ceil((ROWS * LENGTH) / WORKGROUP),
      }),
    },
  ],
};
