import { OnDemand } from "../core/on-demand.ts";
import type { Family, Kernel } from "../forms/kernel.ts";
import type { ProductProblem } from "./problems.ts";
import { matmulFile } from "./shaders.ts";

/**
 * Products by direct loads, which adapters want on which workgroup memory does not pay.
 * @internal
 */
export const directProducts = /* @__PURE__ */ new OnDemand(() => import("./matmul-direct.ts"));

/**
 * Tiles for large and for narrow products. Until they are there, and for all others, one kind serves.
 * @internal
 */
export const moreTiles = /* @__PURE__ */ new OnDemand(() => import("./matmul-tiles.ts"));

const SIDE = 32;

const productTiles: Kernel<ProductProblem> = {
  kind: "workgroup",
  files: [matmulFile],
  candidates: [{ WORKGROUP: 64 }],
  layout: (problem) => tileLayout(problem, [SIDE, SIDE, SIDE], 2 * 4 * SIDE * SIDE),
};

/** What a kernel of products loads and stores, a workgroup for each tile of `m` × `n` outputs, by `k` at a time. */
export function tileLayout(
  { BATCH, M, N, K }: ProductProblem,
  [m, n, k]: readonly [m: number, n: number, k: number],
  memory: number,
): ReturnType<Kernel["layout"]> {
  const [high, wide, deep] = [M % m !== 0, N % n !== 0, K % k !== 0];
  const four = { wide: 2, block: 1 };
  return {
    loads: [
      { name: "a", extents: [BATCH, M, K], ragged: [false, high, deep], ...four },
      { name: "b", extents: [BATCH, K, N], ragged: [false, deep, wide], ...four },
    ],
    results: [{ name: "y", extents: [BATCH, M, N], ragged: [false, high, wide], wide: 2 }],
    workgroups: Math.ceil(N / n) * Math.ceil(M / m) * BATCH,
    memory,
  };
}

const loaded = () => [directProducts, moreTiles].flatMap(({ loaded }) => loaded ?? []);

/** Multiplies matrices. */
export const products: Family<ProductProblem> = {
  computes: "product",
  prologueCost: 1,
  rule: (problem, traits) => [
    ...loaded().flatMap(({ rule }) => rule(problem, traits)),
    ["workgroup", {}],
  ],
  get kernels() {
    return [productTiles, ...loaded().flatMap(({ kernels }) => kernels)];
  },
};
