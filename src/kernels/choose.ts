/*
 * All that decides which kernel runs, and how. Each family of kernels has a rule here, which names
 * what it wants of a candidate by the traits of the hardware and the sizes; `byRule` finds it among
 * the candidates. Whoever measures candidates gives the device another `Choose`.
 */
import type { Shape } from "../core/shape.ts";
import type { Choose, KernelWish } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import type {
  ElementsProblem,
  ProductProblem,
  RowsProblem,
  ScatterProblem,
  SortProblem,
} from "./problems.ts";

/**
 * What the choice of kernels knows of an adapter: whether a CPU emulates the GPU, whether it prefers
 * direct loads, and what a workgroup may have. `forced` is a kind of kernels that is asked for.
 */
export function traitsOf(
  {
    name,
    software,
    direct,
  }: { readonly name: string; readonly software: boolean; readonly direct: boolean },
  { features, limits }: Pick<GPUDevice, "features" | "limits">,
  forced?: string,
): Traits {
  return {
    workgroupMemory: forced ? forced === "workgroup" : !direct,
    // A CPU that emulates runs four invocations at once; small workgroups spread over its cores.
    threads: software && !forced ? 16 : 64,
    quads: software && features.has("subgroups"),
    // A CPU that emulates has no barriers: it goes from one invocation to the next.
    phases: forced ? forced === "workgroup" : !software,
    invocations: limits.maxComputeInvocationsPerWorkgroup,
    name,
  };
}

/** Chooses by the rule of each family; no workgroup is larger than the adapter has. */
export function byRule(traits: Traits): Choose {
  const { invocations = 256 } = traits;
  return (family, problem) => {
    for (const [kind, wanted] of family.rule(problem, traits)) {
      for (const kernel of family.kernels) {
        const candidate =
          kernel.kind === kind &&
          kernel.candidates.find((own) =>
            Object.keys(wanted).every((k) => own[k] === Math.min(wanted[k], invocations)),
          );
        if (candidate) return { kernel, candidate };
      }
    }
    return undefined as never; // the last wish of a rule is always there
  };
}

/**
 * Chooses for pointwise groups, which have larger workgroups where there are enough of them: from 2¹⁸
 * elements on, and from 2¹⁴ where a CPU emulates, to which each workgroup is some 0.5 µs of work.
 */
export function elementwiseRule({ SIZE }: ElementsProblem, { threads }: Traits): KernelWish[] {
  return [["direct", { WORKGROUP: SIZE < 64 * threads ** 2 ? threads : 256 }]];
}

/** What one invocation combines alone; short, so that rounding errors stay small. */
const CHUNK = 128;
/** From so many rows on, an invocation each keeps a GPU busy, if the rows are short. */
const MANY_ROWS = 64;
/** Rows up to this length are combined by fewer invocations, which then have four elements or more. */
const SHORT_ROW = 1024;
/** Rows up to this length one workgroup combines; longer ones are cut into chunks first. */
const LONGEST_TREE = 8192;

/** Whether each row is worth a workgroup where elements are combined. */
function hasTrees(rows: number, length: number, { workgroupMemory }: Traits): boolean {
  return workgroupMemory && (length > CHUNK || rows < MANY_ROWS);
}

/** Chooses for sums, maxima and the like. */
export function reductionRule(problem: RowsProblem, traits: Traits): KernelWish[] {
  const { ROWS, LENGTH } = problem;
  return hasTrees(ROWS, LENGTH, traits) ? treeRule(problem) : openRule(problem, traits);
}

function treeRule({ LENGTH }: RowsProblem): KernelWish[] {
  return [["workgroup", { WORKGROUP: LENGTH <= SHORT_ROW ? 64 : 256 }]];
}

/** How many elements of rows `[rows, length]` are combined first; null where all are at once. */
export function partLength([rows, length]: Shape, traits: Traits): number | null {
  const isWhole = length <= CHUNK || (length <= LONGEST_TREE && hasTrees(rows, length, traits));
  return isWhole ? null : CHUNK;
}

/** Rows up to this length one workgroup has running totals of, eight elements for each invocation. */
const LONGEST_SCAN = 2048;

/** Chooses for running totals. */
export function scanRule(problem: RowsProblem, traits: Traits): KernelWish[] {
  const { ROWS, LENGTH } = problem;
  return hasTrees(ROWS, LENGTH, traits)
    ? [["workgroup", { WORKGROUP: LENGTH <= 256 ? 64 : 256 }]]
    : openRule(problem, traits);
}

/** Of how many elements of rows `[rows, length]` totals are made first; null where of all at once. */
export function scanLength([, length]: Shape, { workgroupMemory }: Traits): number | null {
  const longest = workgroupMemory ? LONGEST_SCAN : CHUNK;
  return length <= longest ? null : longest;
}

/** Rows longer than this are worth a workgroup each where the best element is looked for. */
const LONG_SEARCH = 64;

/** Chooses for the places of largest and smallest elements. */
export function searchRule(problem: RowsProblem, traits: Traits): KernelWish[] {
  return traits.workgroupMemory && problem.LENGTH > LONG_SEARCH
    ? treeRule(problem)
    : openRule(problem, traits);
}

/** Rows from this length on are worth a workgroup each where exponentials are summed. */
const LONG_SOFTMAX = 64;

/** Chooses for softmax, its logarithm and log-sum-exp. */
export function softmaxRule(problem: RowsProblem, traits: Traits): KernelWish[] {
  return traits.workgroupMemory && problem.LENGTH >= LONG_SOFTMAX
    ? treeRule(problem)
    : openRule(problem, traits);
}

/** How many of an invocation's terms are added in order, if possible so many that blocks fill a row. */
export function blockOf(terms: number): number {
  if (terms <= 32) return terms;
  for (let block = 32; block >= 8; block--) if (terms % block === 0) return block;
  return 16;
}

/** Runs from this length on are worth a workgroup each, if they fit into one. */
const LONG_RUN = 65;
/** Invocations of a workgroup that sorts a run; rows of up to so many elements one kernel sorts. */
const SORTERS = 256;
/** Runs that a kernel with direct loads sorts of longer rows. */
const DIRECT_RUN = 64;
/** Of more elements, finding the largest is not cheaper than sorting all. */
const FEW = 64;

function hasSorters({ workgroupMemory, invocations = SORTERS }: Traits): boolean {
  return workgroupMemory && invocations >= SORTERS;
}

/** Whether the first k of n elements are found more cheaply than by sorting all. */
export function isFew(k: number, n: number): boolean {
  return k <= FEW || n <= SORTERS;
}

/** How many of a row's n elements are sorted among themselves first, of which `keep` are wanted. */
export function runOf(n: number, keep: number, traits: Traits): number {
  if (n <= SORTERS) return Math.max(1, n);
  return hasSorters(traits) ? SORTERS : Math.max(DIRECT_RUN, keep === n ? 0 : 4 * keep);
}

/** Chooses for runs to sort. */
export function sortRule(problem: SortProblem, traits: Traits): KernelWish[] {
  const { RUN } = problem;
  return hasSorters(traits) && RUN >= LONG_RUN && RUN <= SORTERS
    ? [["workgroup", { WORKGROUP: SORTERS }]]
    : openRule(problem, traits);
}

/** Up to so many indices, each element of the result looks at all of them. */
const FEW_INDICES = 32;
/** Looks that take longer than sorting: on a GPU, where dispatches weigh more, and elsewhere. */
const MANY_LOOKS = 2 ** 24;
const MANY_SLOW_LOOKS = 2 ** 20;

/** Whether rows to add are sorted by where they go; else each element looks for what it is the sum of. */
export function sortsIndices(
  { ROWS, COLUMNS, COUNT }: Omit<ScatterProblem, "dtype">,
  { workgroupMemory }: Traits,
): boolean {
  const most = workgroupMemory ? MANY_LOOKS : MANY_SLOW_LOOKS;
  return COUNT > FEW_INDICES && ROWS * COLUMNS * COUNT >= most;
}

/** A fourth of so many workgroups leaves a GPU idle, so that long sums are cut for more. */
const ENOUGH_GROUPS = 256;
/** Elements that one part of a product's sum has at least, and a sum that is cut. */
const LEAST_DEPTH = 256;
const LONG_SUM = 4096;
/** Tiles that leave so much of a GPU idle that shorter sums are cut as well. */
const FEW_TILES = 8;
const SHORT_SUM = 1024;

/** In how many parts a product's sums are computed; all of one depth. */
export function productParts(
  { BATCH, M, N, K }: Omit<ProductProblem, "dtype">,
  { workgroupMemory, threads }: Traits,
): number {
  // Workgroups own 32 × 32 outputs, invocations with direct loads about 8 × 8.
  const [side, enough] = workgroupMemory ? [32, ENOUGH_GROUPS] : [8, 32 * threads];
  const owners = Math.ceil(M / side) * Math.ceil(N / side) * BATCH;
  if (K < (workgroupMemory && owners <= FEW_TILES ? SHORT_SUM : LONG_SUM)) return 1;
  return equalParts(K, enough / owners, LEAST_DEPTH);
}

/** In how many parts rows are cut where there are too few for a GPU; all of one length. */
export function rowParts(
  { ROWS, LENGTH }: Omit<RowsProblem, "dtype">,
  { workgroupMemory, threads }: Traits,
): number {
  const [owners, least] = workgroupMemory ? [ENOUGH_GROUPS, 1024] : [16 * threads, 128];
  if (LENGTH < 8 * least) return 1;
  return equalParts(LENGTH, owners / ROWS, least);
}

/**
 * In how many parts of equal length, no shorter than `least`, rows can be cut: 1 where few are wanted, or
 * only far fewer would do. Parts are of fours where the whole is, so that they load as that does.
 */
function equalParts(length: number, wanted: number, least: number): number {
  if (wanted <= 4) return 1;
  const most = Math.min(Math.ceil(wanted), Math.floor(length / least));
  const unit = length % 4 === 0 ? 4 : 1;
  for (let parts = most; parts > most / 4; parts--) if (length % (unit * parts) === 0) return parts;
  return 1;
}

/** Chooses where only the size of the workgroup is open; many rows where a CPU emulates have larger ones. */
export function openRule({ ROWS }: Pick<RowsProblem, "ROWS">, { threads }: Traits): KernelWish[] {
  return [["direct", { WORKGROUP: ROWS < 64 * threads ** 2 ? threads : 64 }]];
}

/** Parts of one dispatch: more make a kernel that takes long to compile and gain little. */
export const MOST_PARTS = 12;
/** Workgroups that fill a GPU alone: two parts of more gain nothing by sharing a dispatch. */
export const FULL_GRID = 4096;
