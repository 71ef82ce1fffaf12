import type { Choose, Computation, KernelChoice, Problem } from "../forms/kernel.ts";
import { plainKernels } from "./plain.ts";
import type { ProductProblem, RowsProblem } from "./problems.ts";

// Part of a script of its own, which shares no code with others.

/** Multiplications from which on four rows at once are worth their longer compilation. */
const MANY_PRODUCTS = 2 ** 19;
/** Multiplications from which on running a plain kernel takes longer than compiling another one. */
const MOST_PRODUCTS = 2 ** 26;
/** Elements from which on that holds of what combines rows. */
const MOST_ELEMENTS = 2 ** 19;

/**
 * Chooses as `choose` does, but a plain kernel where that gives the first result sooner, and the same
 * bits; `onPlain` is called each time.
 */
export function plainly(choose: Choose, onPlain: () => void): Choose {
  return (family, problem) => {
    const best = choose(family, problem);
    const { kernel, candidate } = best;
    const make = family.computes && plainKernels[family.computes];
    // Kernels that stand beside a family have grids of their own.
    const isOwn = family.kernels.includes(kernel);
    if (!make || !isOwn || kernel.kind !== "direct") return best;
    const wanted = wish(family.computes as Computation, problem);
    if (!wanted) return best;
    const plain = make(kernel as never);
    const own = plain.candidates.find(
      (other) =>
        other.WORKGROUP === candidate.WORKGROUP &&
        Object.entries(wanted).every(([name, n]) => other[name] === n),
    );
    if (!own) return best;
    onPlain();
    return { kernel: plain, candidate: own } as KernelChoice<never>;
  };
}

/** What a plain kernel should have; null where it would run too long. */
function wish(computes: Computation, problem: Problem): Record<string, number> | null {
  if (computes === "product") {
    const { BATCH, M, N, K } = problem as ProductProblem;
    const work = BATCH * M * N * K;
    return work > MOST_PRODUCTS ? null : { ROWS: work < MANY_PRODUCTS ? 1 : 4 };
  }
  const { ROWS, LENGTH } = problem as RowsProblem;
  return ROWS * LENGTH > MOST_ELEMENTS ? null : {};
}
