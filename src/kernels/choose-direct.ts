import type { KernelWish, PartSharing, Stage } from "../forms/kernel.ts";
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

/** Larger workgroups are those of a GPU. */
const EMULATED_THREADS = 16;
/** Where a CPU emulates: microseconds that parts may take where they do not run, for a dispatch less. */
const DISPATCH = 800;
/**
 * What the code of a part takes in each workgroup of another part, for there all code runs, and what a branch leaves
 * out stores nothing: for each row of a product's tile, for a walk along rows, and for other code.
 */
const ROW = 0.3;
const WALK = 4;
const OTHER = 0.7;

function idleOf({ constants, loads }: Stage): number {
  if (loads.some(({ block }) => block !== undefined)) return ROW * constants.ROWS;
  return loads.some(({ wide }) => wide !== undefined) ? WALK : OTHER;
}

/** Lets parts share a dispatch of an emulated GPU as long as that takes less than another dispatch. */
export const sharedParts: PartSharing = () => {
  let [idle, workgroups, wasted] = [0, 0, 0];
  return (part, isNew) => {
    if (part.threads > EMULATED_THREADS) return true;
    const own = idleOf(part);
    const waste = isNew
      ? part.workgroups * idle + workgroups * own
      : part.workgroups * (idle - own);
    if (wasted + waste > DISPATCH) return false;
    wasted += waste;
    workgroups += part.workgroups;
    if (isNew) idle += own;
    return true;
  };
};
