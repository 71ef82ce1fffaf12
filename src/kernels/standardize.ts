import rowStandardSource from "../../shaders/lib/row-standard.wgsl?raw";
import source from "../../shaders/standardize.wgsl?raw";
import directSource from "../../shaders/standardize-direct.wgsl?raw";
import type { Family } from "../forms/kernel.ts";
import { softmaxRule } from "./choose.ts";
import type { RowsProblem } from "./problems.ts";
import { rowFamily } from "./rows.ts";
import { PAIRWISE } from "./shaders.ts";

// Files of their own, for few apps normalise anything.
const rowStandard = { name: "shaders/lib/row-standard.wgsl", source: rowStandardSource };
const main = { name: "shaders/standardize.wgsl", source };
const direct = { name: "shaders/standardize-direct.wgsl", source: directSource };

/** Takes from each row its mean, and scales it by a function of its variance, which is given beside. */
export const standardRows: Family<RowsProblem> = /* @__PURE__ */ rowFamily<RowsProblem>({
  prologueCost: 16,
  rule: softmaxRule,
  functions: { scale_of: "(variance: Acc) -> Acc" },
  tree: [PAIRWISE, rowStandard, main],
  bytes: 8,
  direct: [PAIRWISE, rowStandard, direct],
  own: ({ ROWS, LENGTH }, { WORKGROUP }, isTree) => {
    const STRIDE = isTree ? WORKGROUP : 1;
    const terms = Math.ceil(LENGTH / STRIDE);
    return {
      constants: { BLOCK: terms <= 32 ? terms : 16, STRIDE },
      isRagged: true,
      results: [{ extents: [ROWS, LENGTH] }, { extents: [ROWS] }],
    };
  },
});
