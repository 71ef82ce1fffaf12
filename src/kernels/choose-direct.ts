import type { KernelWish } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import type { ProductProblem } from "./problems.ts";

/** Direct loads add all of K in order, which rounds too often for longer sums. */
const LONGEST_DIRECT = 2 ** 17;
/** Multiplications from which on larger tiles are worth the longer compilation where a CPU emulates. */
const MANY_PRODUCTS = 2 ** 19;

/** Chooses among products by direct loads, where they are wanted. */
export function directRule({ M, N, K }: ProductProblem, traits: Traits): KernelWish[] {
  if (traits.workgroupMemory || K > LONGEST_DIRECT) return [];
  const isShared = traits.quads && N > 16 && M * N * K >= MANY_PRODUCTS;
  // Loading b weighs as much as six rows more; guards are worse.
  const isHigh = M % 16 > 0 && Math.ceil(M / 20) * 26 < Math.ceil(M / 16) * 22;
  const isSmall = traits.quads && M * N * K < MANY_PRODUCTS;
  const shared = { LANES: 4, ROWS: isHigh ? 20 : 16 };
  const tile = isShared ? shared : isSmall ? { ROWS: 4 } : { LANES: 1, ROWS: 8 };
  return [["direct", { WORKGROUP: traits.threads, ...tile }]];
}
