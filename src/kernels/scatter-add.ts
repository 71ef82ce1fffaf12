import type { Family } from "../forms/kernel.ts";
import { openRule } from "./choose.ts";
import type { ScatterProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { scatterAddFile } from "./shaders.ts";

/** Adds rows to those that indices name. */
export const scatteredSums: Family<ScatterProblem> = {
  computes: "rowSums",
  prologueCost: 4,
  rule: openRule,
  kernels: [
    {
      kind: "direct",
      files: [scatterAddFile],
      candidates: OPEN,
      layout: ({ ROWS, COLUMNS, COUNT }, { WORKGROUP }) => ({
        loads: [
          { name: "index", extents: [COUNT], dtype: "i32" },
          { name: "g", extents: [COUNT, COLUMNS] },
        ],
        results: [{ name: "y", extents: [ROWS, COLUMNS] }],
        workgroups: Math.ceil((ROWS * COLUMNS) / WORKGROUP),
      }),
    },
  ],
};
