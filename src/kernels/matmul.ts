import { OnDemand } from "../core/on-demand.ts";
import type { Family, Kernel } from "../forms/kernel.ts";
import { productRule } from "./choose.ts";
import type { ProductProblem } from "./problems.ts";
import { matmulFile } from "./shaders.ts";

/**
 * Products by direct loads, which adapters want on which workgroup memory does not pay.
 * @internal
 */
export const directProducts = /* @__PURE__ */ new OnDemand(() => import("./matmul-direct.ts"));

const productTiles: Kernel<ProductProblem> = {
  kind: "workgroup",
  files: [matmulFile],
  candidates: [
    { WORKGROUP: 64, TILE: 32, TILE_K: 32 },
    { WORKGROUP: 128, TILE: 64, TILE_K: 16 },
  ],
  layout: ({ BATCH, M, N, K }, { TILE, TILE_K }) => {
    const [high, wide, deep] = [M % TILE !== 0, N % TILE !== 0, K % TILE_K !== 0];
    const four = { wide: 2, block: 1 };
    return {
      loads: [
        { name: "a", extents: [BATCH, M, K], ragged: [false, high, deep], ...four },
        { name: "b", extents: [BATCH, K, N], ragged: [false, deep, wide], ...four },
      ],
      results: [{ name: "y", extents: [BATCH, M, N], ragged: [false, high, wide], wide: 2 }],
      workgroups: Math.ceil(N / TILE) * Math.ceil(M / TILE) * BATCH,
      memory: 2 * 4 * TILE * TILE_K,
    };
  },
};

/** Multiplies matrices. */
export const products: Family<ProductProblem> = {
  computes: "product",
  prologueCost: 1,
  rule: (problem, traits) => productRule(problem, directProducts.loaded?.rule(problem, traits)),
  get kernels() {
    return [productTiles, ...(directProducts.loaded?.kernels ?? [])];
  },
};
