import type { Family, Kernel } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { blockOf, softmaxRule } from "./choose.ts";
import type { RowsProblem } from "./problems.ts";
import { rowFamily } from "./rows.ts";
import {
  EXP_LOG,
  logSumExpDirectFile,
  logSumExpFile,
  PAIRWISE,
  ROW_EXP,
  softmaxDirectFile,
  softmaxFile,
} from "./shaders.ts";

/** Kernels that know of each row its largest element and the sum of its exponentials. */
/* @__NO_SIDE_EFFECTS__ */
function expFamily(
  tree: ShaderFile,
  direct: ShaderFile,
  functions?: Kernel["functions"],
): Family<RowsProblem> {
  return rowFamily<RowsProblem>({
    computes: functions ? "softmax" : "logSumExp",
    prologueCost: 8,
    rule: softmaxRule,
    functions,
    libraries: EXP_LOG,
    outside: "-infinity_value()",
    tree: [PAIRWISE, ROW_EXP, tree],
    trees: [{ WORKGROUP: 64 }],
    bytes: 8,
    direct: [PAIRWISE, ROW_EXP, direct],
    own: ({ ROWS, LENGTH }, { WORKGROUP }, isTree) => {
      const STRIDE = isTree ? WORKGROUP : 1;
      const BLOCK = blockOf(Math.ceil(LENGTH / STRIDE));
      return {
        constants: { BLOCK, STRIDE },
        // Blocks of sums go beyond a row, where −∞ adds nothing.
        isRagged: isTree || LENGTH % BLOCK !== 0,
        results: [{ extents: functions ? [ROWS, LENGTH] : [ROWS] }],
      };
    },
  });
}

/** Makes each element a function of itself, the row's maximum and Σ exp(x − maximum). */
export const softmaxRows: Family<RowsProblem> = expFamily(softmaxFile, softmaxDirectFile, {
  finish: "(x: Acc, maximum: Acc, sum: Acc) -> Acc",
});

/** Computes log Σ exp(x) of each row. */
export const logSumExpRows: Family<RowsProblem> = expFamily(logSumExpFile, logSumExpDirectFile);
