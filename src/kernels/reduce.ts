import type { Family } from "../forms/kernel.ts";
import { openRule, reductionRule } from "./choose.ts";
import type { PartsProblem, RowsProblem } from "./problems.ts";
import { rowFamily } from "./rows.ts";
import { reduceDirectFile, reduceFile } from "./shaders.ts";

const SHARED = {
  prologueCost: 64,
  joins: "elements" as const,
  functions: { identity: "() -> Acc", combine: "(a: Acc, b: Acc) -> Acc" },
  outside: "identity()",
  direct: [reduceDirectFile],
};

/** Combines the elements of each row. */
export const reduce: Family<RowsProblem> = rowFamily<RowsProblem>({
  ...SHARED,
  computes: "reduction",
  rule: reductionRule,
  tree: [reduceFile],
  bytes: 4,
  own: ({ ROWS, LENGTH }, _, isTree) => ({
    ...(isTree ? {} : { constants: { CHUNK: Math.max(1, LENGTH), CHUNKS: 1 } }),
    isRagged: isTree || LENGTH === 0,
    results: [{ extents: [ROWS] }],
  }),
});

/** Combines the elements of each chunk of a row. */
export const reduceParts: Family<PartsProblem> = rowFamily<PartsProblem>({
  ...SHARED,
  rule: openRule,
  own: ({ ROWS, LENGTH, CHUNK }) => {
    const CHUNKS = Math.ceil(LENGTH / CHUNK);
    return {
      constants: { CHUNKS },
      isRagged: LENGTH % CHUNK > 0,
      results: [{ extents: [ROWS * CHUNKS] }],
    };
  },
});
