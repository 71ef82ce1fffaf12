import type { Accessor, Candidate, Constants, Family, Kernel, Load } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import type { RowsProblem } from "./problems.ts";
import { WORKGROUP_TREE } from "./shaders.ts";

/** The sizes of workgroup of kernels that leave it open. */
export const OPEN = /* @__PURE__ */ [16, 32, 64].map((WORKGROUP) => ({ WORKGROUP }));

/** Those of kernels whose workgroups share what is to be combined. */
export const TREES = /* @__PURE__ */ [64, 128, 256].map((WORKGROUP) => ({ WORKGROUP }));

/** What a family of row kernels has of its own. */
interface RowFamily<P extends RowsProblem>
  extends Omit<Family<P>, "kernels">,
    Pick<Kernel, "functions" | "libraries" | "order">,
    Pick<Load, "outside"> {
  /** The files of a workgroup for each row, if there are such. */
  readonly tree?: readonly ShaderFile[];
  /** Bytes of its memory for each invocation. */
  readonly bytes?: number;
  /** The files of an invocation for each row. */
  readonly direct: readonly ShaderFile[];
  readonly directs?: readonly Candidate[];
  /** More constants, the results, and whether the kernel goes beyond a row. */
  own(problem: P, candidate: Candidate, isTree: boolean): RowKernel;
}

interface RowKernel {
  readonly constants?: Constants;
  readonly isRagged?: boolean;
  /** The results, which are called y, z and w. */
  readonly results: readonly Omit<Accessor, "name">[];
}

/** Kernels of rows `[ROWS, LENGTH]`: one gives each row a workgroup, one an invocation. */
/* @__NO_SIDE_EFFECTS__ */
export function rowFamily<P extends RowsProblem>(family: RowFamily<P>): Family<P> {
  const { functions, libraries, order, outside, own, tree, bytes = 0 } = family;
  const kernel = (isTree: boolean): Kernel<P> => ({
    kind: isTree ? "workgroup" : "direct",
    files: isTree ? [WORKGROUP_TREE, ...(tree ?? [])] : family.direct,
    functions,
    libraries,
    order,
    candidates: isTree ? TREES : (family.directs ?? OPEN),
    layout: (problem, candidate) => {
      const { ROWS, LENGTH } = problem;
      const { WORKGROUP } = candidate;
      const { constants, isRagged = false, results } = own(problem, candidate, isTree);
      const owners = ROWS * (constants?.CHUNKS ?? 1);
      return {
        constants,
        loads: [{ name: "x", extents: [ROWS, LENGTH], ragged: [false, isRagged], outside }],
        results: results.map((result, k) => ({ name: "yzw"[k], ...result })),
        workgroups: isTree ? ROWS : Math.ceil(owners / WORKGROUP),
        memory: isTree ? bytes * WORKGROUP : 0,
      };
    },
  });
  return { ...family, kernels: [...(tree ? [kernel(true)] : []), kernel(false)] };
}
