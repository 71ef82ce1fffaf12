import productRow from "../../shaders/lib/product-row.wgsl?raw";
import productRows from "../../shaders/lib/product-rows.wgsl?raw";
import type { Family, Kernel } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import type { ProductProblem, SoftmaxProblem } from "./problems.ts";

// Part of a script of its own, which shares no code with others.

/** Rows `[ROWS, LENGTH]` that are a product, whose matrices have as many rows and columns in all. */
type MadeProblem = SoftmaxProblem & ProductProblem;

/** Rows up to this length are made where they are used: the classes of most classifiers. */
const LONGEST_ROW = 32;
/** Terms of a sum that one invocation adds alone on a GPU, in about the time of a dispatch more. */
const DEEPEST = 1024;
/** Multiplications of a row that one invocation makes alone, without workgroup memory. */
const LONGEST_WALK = 2048;
/** The same where the phases of a small step are to be of equal length. */
const LONGEST_PHASE = 512;
/** Multiplications from which on tiles are worth a dispatch: on a GPU, and where a CPU emulates one. */
const MANY_PRODUCTS = 2 ** 24;
const MANY_SLOW_PRODUCTS = 2 ** 18;

/**
 * Tells whether a family's kernel had better make so many rows of a product itself, on such hardware; each of
 * their elements is a sum of `K` terms.
 */
export function makesRows(
  { workgroupMemory, phases }: Traits,
  { computes }: Pick<Family, "computes">,
  { ROWS, LENGTH, K }: Pick<MadeProblem, "ROWS" | "LENGTH" | "K">,
): boolean {
  const all = ROWS * LENGTH * K;
  if (computes !== "softmax" || LENGTH > LONGEST_ROW || all === 0) return false;
  const walk = phases ? LONGEST_PHASE : LONGEST_WALK;
  return workgroupMemory
    ? K <= DEEPEST && all <= MANY_PRODUCTS
    : LENGTH * K <= walk && all <= MANY_SLOW_PRODUCTS;
}

const made = new WeakMap<Family<never>, Family<MadeProblem>>();

/** The family whose kernels make the rows of another one's themselves. */
export function ofProducts(family: Family<SoftmaxProblem>): Family<MadeProblem> {
  const known = made.get(family);
  if (known) return known;
  const direct = family.kernels.find(({ kind }) => kind === "direct") as Kernel<SoftmaxProblem>;
  const own: Family<MadeProblem> = {
    prologueCost: family.prologueCost,
    joins: family.joins,
    kernels: [
      kernel(direct, { name: "shaders/lib/product-rows.wgsl", source: productRows }, true),
      kernel(direct, { name: "shaders/lib/product-row.wgsl", source: productRow }, false),
    ],
    rule: ({ ROWS }, { workgroupMemory, threads }) => [
      [
        workgroupMemory ? "workgroup" : "direct",
        { WORKGROUP: ROWS < 64 * threads ** 2 ? threads : 64 },
      ],
    ],
  };
  made.set(family, own);
  return own;
}

/** A kernel of rows with another file in the place of the first, which gives each invocation its row. */
function kernel(
  direct: Kernel<SoftmaxProblem>,
  file: ShaderFile,
  isShared: boolean,
): Kernel<MadeProblem> {
  return {
    ...direct,
    kind: isShared ? "workgroup" : "direct",
    files: [file, ...direct.files.slice(1)],
    order: isShared ? "product rows" : direct.order,
    layout: (problem, candidate) => {
      const { BATCH, M, N, K, ROWS } = problem;
      const rows = direct.layout(problem, candidate);
      const share = Math.max(1, Math.floor(candidate.WORKGROUP / N));
      const deep = K % 4 !== 0;
      const a = { name: "a", extents: [BATCH, M, K], ragged: [false, false, deep], wide: 2 };
      const b = { name: "b", extents: [BATCH, K, N], ragged: [false, deep, false] };
      return {
        ...rows,
        loads: [...rows.loads, a, isShared ? b : { ...b, wide: 2 }],
        workgroups: isShared ? Math.ceil(ROWS / share) : rows.workgroups,
        memory: isShared ? 4 * share * N : 0,
      };
    },
  };
}
