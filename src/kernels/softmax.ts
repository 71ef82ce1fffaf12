import type { Family } from "../forms/kernel.ts";
import { blockOf, softmaxRule } from "./choose.ts";
import type { SoftmaxProblem } from "./problems.ts";
import { rowFamily } from "./rows.ts";
import {
  EXP_LOG,
  GIVEN_ROW,
  PAIRWISE,
  ROW_EXP,
  softmaxDirectFile,
  softmaxFile,
} from "./shaders.ts";

/**
 * Makes each element a function of itself, the row's maximum and Σ exp(x − maximum), and gives log Σ
 * exp(x) of each row.
 */
export const softmaxRows: Family<SoftmaxProblem> = rowFamily<SoftmaxProblem>({
  computes: "softmax",
  prologueCost: 8,
  joins: "input",
  rule: softmaxRule,
  functions: { finish: "(x: Acc, maximum: Acc, sum: Acc) -> Acc" },
  libraries: EXP_LOG,
  outside: "-infinity_value()",
  tree: [PAIRWISE, ROW_EXP, softmaxFile],
  bytes: 8,
  direct: [GIVEN_ROW, PAIRWISE, ROW_EXP, softmaxDirectFile],
  own: ({ ROWS, LENGTH, EACH = 1 }, { WORKGROUP }, isTree) => {
    const STRIDE = isTree ? WORKGROUP : 1;
    const BLOCK = blockOf(Math.ceil(LENGTH / STRIDE));
    return {
      constants: { EACH, BLOCK, STRIDE },
      // Blocks of sums go beyond a row, where −∞ adds nothing.
      isRagged: isTree || LENGTH % BLOCK !== 0,
      results: [{ extents: [ROWS, LENGTH] }, { extents: [ROWS] }],
    };
  },
});
