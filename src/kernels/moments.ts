import type { Family } from "../forms/kernel.ts";
import { softmaxRule } from "./choose.ts";
import type { RowsProblem } from "./problems.ts";
import { rowFamily } from "./rows.ts";
import { momentsDirectFile, momentsFile, PAIRWISE, ROW_MOMENTS } from "./shaders.ts";

/** Computes the mean of each row, and the variance. */
export const rowMoments: Family<RowsProblem> = rowFamily<RowsProblem>({
  computes: "moments",
  prologueCost: 64,
  rule: softmaxRule,
  tree: [PAIRWISE, ROW_MOMENTS, momentsFile],
  bytes: 4,
  direct: [PAIRWISE, ROW_MOMENTS, momentsDirectFile],
  own: ({ ROWS, LENGTH }, { WORKGROUP }, isTree) => {
    const STRIDE = isTree ? WORKGROUP : 1;
    const terms = Math.ceil(LENGTH / STRIDE);
    return {
      constants: { BLOCK: terms <= 32 ? terms : 16, STRIDE },
      isRagged: true,
      results: [{ extents: [ROWS] }, { extents: [ROWS] }],
    };
  },
});
