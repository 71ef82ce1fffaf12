import type { Family, Kernel } from "../forms/kernel.ts";
import { scanRule } from "./choose.ts";
import type { RowsProblem } from "./problems.ts";
import { OPEN, TREES } from "./rows.ts";
import { SCAN_NUMBERS, SCAN_STEPS, scanDirectFile, scanFile } from "./shaders.ts";

/** What a family of scans has of its own. */
interface Items extends Pick<Kernel, "functions">, Required<Pick<Family, "computes">> {
  readonly file: Kernel["files"][number];
  /** What is read by its name, and what counts outside the row. */
  readonly loads: readonly (readonly [name: string, outside: string])[];
  readonly results: readonly string[];
  /** Bytes of an item. */
  readonly bytes: number;
}

/** Kernels of running totals of rows: one gives each row a workgroup, one an invocation. */
/* @__NO_SIDE_EFFECTS__ */
function scanFamily({
  computes,
  file,
  functions,
  loads,
  results,
  bytes,
}: Items): Family<RowsProblem> {
  const kernel = (isTree: boolean): Kernel<RowsProblem> => ({
    kind: isTree ? "workgroup" : "direct",
    files: [file, isTree ? scanFile : scanDirectFile],
    functions,
    candidates: isTree ? TREES : OPEN,
    layout: ({ ROWS, LENGTH }, { WORKGROUP }) => {
      const rows = { extents: [ROWS, LENGTH], ragged: [false, isTree] };
      return {
        loads: loads.map(([name, outside]) => ({ name, outside, ...rows })),
        results: results.map((name) => ({ name, ...rows })),
        workgroups: isTree ? ROWS : Math.ceil(ROWS / WORKGROUP),
        memory: isTree ? bytes * WORKGROUP : 0,
      };
    },
  });
  return { computes, prologueCost: 16, rule: scanRule, kernels: [kernel(true), kernel(false)] };
}

/** Combines the elements of each row up to each. */
export const scanNumbers: Family<RowsProblem> = /* @__PURE__ */ scanFamily({
  computes: "scan",
  file: SCAN_NUMBERS,
  functions: { identity: "() -> Acc", combine: "(a: Acc, b: Acc) -> Acc" },
  loads: [["x", "identity()"]],
  results: ["y"],
  bytes: 4,
});

/** Takes steps s → x · s + b along each row. */
export const scanSteps: Family<RowsProblem> = /* @__PURE__ */ scanFamily({
  computes: "steps",
  file: SCAN_STEPS,
  loads: [
    ["x", "Acc(1)"],
    ["b", "Acc(0)"],
  ],
  results: ["y", "z"],
  bytes: 8,
});
