import type { Constants, KernelWish, PartSharing, Stage } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import type { ProductProblem } from "./problems.ts";

/** Direct loads add all of K in order, which rounds too often for longer sums. */
const LONGEST_DIRECT = 2 ** 17;
/** Multiplications from which on larger tiles are worth the longer compilation where a CPU emulates. */
const MANY_PRODUCTS = 2 ** 19;

/** What four neighbours own together: ROWS × 4 · WIDTH. */
export const QUAD_TILES: readonly Constants[] = [
  { ROWS: 12, WIDTH: 8 },
  { ROWS: 16, WIDTH: 4 },
  { ROWS: 12, WIDTH: 4 },
];
/** What four neighbours own apart: a tile of 4 × 4 each. */
const SMALL: Constants = { ROWS: 4 };

/**
 * How long a turn along K takes in all, where four loads by each of four neighbours are 1, as are four rows of four columns:
 * columns from the fifth on leave the registers (bench/kernels/README.md).
 */
function turnsTake({ M, N }: ProductProblem, { ROWS, WIDTH }: Constants): number {
  if (WIDTH === undefined) return Math.ceil(M / 4) * Math.ceil(N / 4) * 0.7;
  const turn = WIDTH > 4 ? 2 + 0.4 * ROWS : 1 + 0.25 * ROWS;
  return Math.ceil(M / ROWS) * Math.ceil(N / (4 * WIDTH)) * turn;
}

/** Chooses among products by direct loads, where they are wanted. */
export function directRule(problem: ProductProblem, traits: Traits): KernelWish[] {
  const { BATCH, M, N, K } = problem;
  if (traits.workgroupMemory || K > LONGEST_DIRECT) return [];
  const isMany = BATCH * M * N * K >= MANY_PRODUCTS;
  const shared = QUAD_TILES.map((tile) => ({ LANES: 4, ...tile }));
  const tiles: Constants[] = !traits.quads
    ? [{ LANES: 1, ROWS: 8 }]
    : isMany
      ? [SMALL, ...shared]
      : [SMALL];
  const best = tiles.reduce((a, b) => (turnsTake(problem, b) < turnsTake(problem, a) ? b : a));
  return [["direct", { WORKGROUP: traits.threads, ...best }]];
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
