import type { Family } from "../forms/kernel.ts";
import { searchRule } from "./choose.ts";
import type { RowsProblem } from "./problems.ts";
import { rowFamily } from "./rows.ts";
import { argReduceDirectFile, argReduceFile } from "./shaders.ts";

/** Finds where the best element of each row is, and what it is. */
export const argReduce: Family<RowsProblem> = rowFamily<RowsProblem>({
  computes: "place",
  prologueCost: 64,
  rule: searchRule,
  order: "none", // whatever is compared first, the same is best
  functions: { better: "(a: Acc, b: Acc) -> bool" },
  tree: [argReduceFile],
  bytes: 8,
  direct: [argReduceDirectFile],
  own: ({ ROWS }) => ({ results: [{ extents: [ROWS], dtype: "i32" }, { extents: [ROWS] }] }),
});
