import type { Family } from "../forms/kernel.ts";
import { CHUNK, reductionRule } from "./choose.ts";
import type { ReductionProblem } from "./problems.ts";
import { OPEN, rowFamily } from "./rows.ts";
import { reduceDirectFile, reduceFile } from "./shaders.ts";

function chunksOf(length: number, chunk: number): number {
  return Math.max(1, Math.ceil(length / chunk));
}

/** Combines the elements of each row. */
export const reduce: Family<ReductionProblem> = rowFamily<ReductionProblem>({
  prologueCost: 64,
  rule: reductionRule,
  functions: { identity: "() -> Acc", combine: "(a: Acc, b: Acc) -> Acc" },
  outside: "identity()",
  tree: [reduceFile],
  trees: [{ WORKGROUP: 64 }, { WORKGROUP: 256 }],
  bytes: 4,
  direct: [reduceDirectFile],
  directs: /* @__PURE__ */ OPEN.map((open) => ({ ...open, CHUNK })),
  own: ({ ROWS, LENGTH }, candidate, isTree) => {
    if (isTree) return { isRagged: true, results: [{ extents: [ROWS] }] };
    const CHUNKS = chunksOf(LENGTH, candidate.CHUNK);
    const CHUNK = Math.min(candidate.CHUNK, Math.max(1, LENGTH));
    return {
      constants: { CHUNK, CHUNKS },
      isRagged: CHUNK * CHUNKS !== LENGTH,
      results: [{ extents: [ROWS * CHUNKS] }],
    };
  },
  rest: ({ LENGTH, STAGE = 0, ...problem }, { candidate: { CHUNK = LENGTH } }) => {
    const chunks = chunksOf(LENGTH, CHUNK);
    return chunks > 1 ? { ...problem, LENGTH: chunks, STAGE: STAGE + 1 } : null;
  },
});
