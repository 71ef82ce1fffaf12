import matmul from "../../shaders/matmul-plain.wgsl?raw";
import reduce from "../../shaders/reduce-plain.wgsl?raw";
import type { Computation, Kernel } from "../forms/kernel.ts";
import type { ProductProblem } from "./problems.ts";

// Part of a script of its own, which shares no code with others.

const SIZES = [16, 32, 64].map((WORKGROUP) => ({ WORKGROUP }));

/** Four columns of one or four rows of a product for each invocation. */
const plainProducts: Kernel<ProductProblem> = {
  kind: "direct",
  files: [{ name: "shaders/matmul-plain.wgsl", source: matmul }],
  candidates: SIZES.flatMap((open) => [1, 4].map((ROWS) => ({ ...open, ROWS }))),
  layout: ({ BATCH, M, N, K }, { WORKGROUP, ROWS }) => {
    const owners = BATCH * Math.ceil(M / ROWS) * Math.ceil(N / 4);
    const deep = K % 4 > 0;
    return {
      loads: [
        { name: "a", extents: [BATCH, M, K], ragged: [false, false, deep] },
        { name: "b", extents: [BATCH, K, N], ragged: [false, deep, false], wide: 2 },
      ],
      results: [{ name: "y", extents: [BATCH, M, N], ragged: [false, true, N % 4 > 0] }],
      workgroups: Math.ceil(owners / WORKGROUP),
    };
  },
};

/** Makes a plain kernel of one with direct loads of the same family: of little code, and slower. */
type MakePlain = (direct: Kernel) => Kernel;

/**
 * Kernels of little code by what they compute: compiled in a fraction of the time that others with
 * direct loads take, to the same bits.
 */
export const plainKernels: { readonly [C in Computation]?: MakePlain } = {
  product: () => plainProducts as Kernel<never>,
  reduction: (direct) => ({
    ...direct,
    files: [{ name: "shaders/reduce-plain.wgsl", source: reduce }],
  }),
};
