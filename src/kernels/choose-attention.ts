import type { KernelWish } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import type { AttentionProblem } from "./problems.ts";

/** Bytes of tiles in a workgroup: as much as two kernels that share a dispatch may have. */
const LARGEST_TILES = 8192;
/** Numbers in a row of q or v that an invocation can hold. */
const WIDEST = 256;
/** Numbers in a row of q or v that four neighbours can hold in variables. */
const LONGEST_VARIABLES = 32;
/** Fewer rows do not fill a device by an invocation each, where there are keys to share out. */
const FEW_ROWS = 64;
const MANY_KEYS = 64;

/** Whether four neighbours can hold what they own of a problem. */
export function isShort({ DEPTH, WIDTH }: AttentionProblem): boolean {
  return Math.max(DEPTH, WIDTH) <= LONGEST_VARIABLES;
}

/** Chooses among kernels in which an invocation owns a row: of keys, or of queries. */
export function attentionRule(
  problem: AttentionProblem,
  { workgroupMemory, threads, quads }: Traits,
  ownsKeys: boolean,
): KernelWish[] {
  const { ROWS, KEYS, DEPTH, WIDTH } = problem;
  const owned = ownsKeys ? KEYS : ROWS;
  const WORKGROUP = owned <= 32 ? Math.min(threads, 32) : threads;
  const isShared = quads && isShort(problem);
  const direct: KernelWish = ["direct", { WORKGROUP, ...(isShared && { LANES: 4 }) }];
  const bytes = 16 * (Math.ceil(DEPTH / 4) + Math.ceil(WIDTH / 4));
  const TILE = [32, 16, 8, 4].find((tile) => tile * bytes <= LARGEST_TILES);
  if (!workgroupMemory || !TILE) return [direct];
  return [["workgroup", { WORKGROUP: owned <= 32 ? 32 : 64, TILE }]];
}

/** Whether sizes are of the kind for which one kernel is better than products and a softmax. */
export function isWholeAttention({
  BATCH,
  ROWS,
  KEYS,
  DEPTH,
  WIDTH,
}: Omit<AttentionProblem, "dtype">): boolean {
  if (Math.max(DEPTH, WIDTH) > WIDEST) return false;
  return BATCH * ROWS >= FEW_ROWS || KEYS < MANY_KEYS;
}
