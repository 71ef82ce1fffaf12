import source from "../../shaders/matmul-tiles.wgsl?raw";
import type { Candidate, Kernel, KernelWish } from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import { measuredProducts } from "./measured-products.ts";
import type { ProductProblem } from "./problems.ts";

// A script of its own, which shares no code with others: what it shared would be another script.

/** A tile of outputs, how deep it is loaded, which outputs an invocation owns of it, and in how many stages. */
type Tile = readonly [
  m: number,
  n: number,
  k: number,
  rows: number,
  columns: number,
  stages: number,
];

/** From small to large, those for few rows and few columns first. */
const TILES: readonly Tile[] = [
  [16, 64, 16, 4, 4, 2],
  [64, 16, 16, 4, 4, 2],
  [32, 32, 16, 4, 4, 2],
  [32, 64, 16, 8, 4, 1],
  [64, 32, 16, 4, 8, 1],
  [64, 64, 16, 8, 8, 1],
  [64, 64, 8, 8, 8, 2],
  [64, 64, 16, 8, 4, 1],
  [64, 64, 16, 4, 4, 2],
  [64, 128, 16, 8, 8, 1],
  [128, 64, 16, 8, 8, 1],
  [128, 64, 8, 8, 8, 2],
  [128, 128, 8, 16, 8, 2],
  [128, 128, 16, 16, 8, 1],
  [128, 128, 8, 8, 8, 2],
  [128, 128, 16, 8, 8, 1],
];

const candidates: readonly Candidate[] = TILES.map(([m, n, k, rows, columns, stages]) => ({
  WORKGROUP: (m * n) / (rows * columns),
  TILE_M: m,
  TILE_N: n,
  TILE_K: k,
  COLUMNS: columns,
  STAGES: stages,
}));

/** What matmul.wgsl is among them. */
const SMALLEST: Candidate = {
  WORKGROUP: 64,
  TILE_M: 32,
  TILE_N: 32,
  TILE_K: 32,
  COLUMNS: 4,
  STAGES: 1,
};

/** Products through tiles of any size. */
const tiled: readonly Kernel<ProductProblem>[] = [
  {
    kind: "workgroup",
    order: "workgroup 64", // that of matmul.wgsl
    files: [{ name: "shaders/matmul-tiles.wgsl", source }],
    candidates,
    cost,
    layout: ({ BATCH, M, N, K }, candidate) => {
      const { TILE_M, TILE_N, TILE_K } = candidate;
      const [high, wide, deep] = [M % TILE_M !== 0, N % TILE_N !== 0, K % TILE_K !== 0];
      const four = { wide: 2, block: 1 };
      return {
        loads: [
          { name: "a", extents: [BATCH, M, K], ragged: [false, high, deep], ...four },
          { name: "b", extents: [BATCH, K, N], ragged: [false, deep, wide], ...four },
        ],
        results: [{ name: "y", extents: [BATCH, M, N], ragged: [false, high, wide], wide: 2 }],
        workgroups: Math.ceil(N / TILE_N) * Math.ceil(M / TILE_M) * BATCH,
        memory: memoryOf(candidate),
      };
    },
  },
];

/**
 * Multiplications from which on a product may have workgroups of its own size, and all of the memory:
 * smaller ones had better share a dispatch with others.
 */
const LARGE = 2 ** 26;
const SHARED_MEMORY = 8192;
/** What every adapter has. */
const ALL_MEMORY = 16384;

/** Chooses the tile that should cost least, where it is none of matmul.wgsl. */
export function rule(problem: ProductProblem, traits: Traits): KernelWish[] {
  const { BATCH, M, N, K } = problem;
  const isLarge = BATCH * M * N * K >= LARGE;
  const open = [SMALLEST, ...candidates].filter(
    (candidate) =>
      memoryOf(candidate) <= (isLarge ? ALL_MEMORY : SHARED_MEMORY) &&
      candidate.WORKGROUP <= (isLarge ? (traits.invocations ?? 256) : 64),
  );
  const costs = new Map(open.map((candidate) => [candidate, cost(problem, candidate, traits)]));
  const best = open.reduce((a, b) => ((costs.get(b) ?? 0) < (costs.get(a) ?? 0) ? b : a));
  return best === SMALLEST ? [] : [["workgroup", best]];
}

/**
 * How many cores GPUs have that run workgroups of their own, a guess, and how many registers an invocation can
 * have there, by what adapters are called.
 */
type Gpu = readonly [name: RegExp, cores: number, mostRegisters: number];

const GPUS: readonly Gpu[] = [
  [/nvidia/i, 64, 255],
  [/\bamd\b|radeon/i, 40, 256],
  [/apple/i, 16, 128],
  [/intel/i, 24, 128],
  [/qualcomm|adreno|\barm\b|mali|img-tec|powervr/i, 8, 64],
];
const OTHER_GPU: Gpu = [/^/, 24, 128];
/** GPUs of a vendor may have so many times the cores; a tile should do on all of these. */
const MORE_CORES = [0.5, 1, 2];

/** Multiply-adds that a core does in a cycle, and reads of workgroup memory by as many neighbours. */
const MULTIPLIERS = 128;
const READS = 32;
/** Bytes that come to a core in a cycle, from what all cores share, and from a cache of its own. */
const BYTES = 32;
const NEAR_BYTES = 128;
/** What lanes hand on is read from registers there; elsewhere it goes the way of workgroup memory. */
const READS_REGISTERS = /\bamd\b|radeon|intel/i;
/** Registers and bytes of workgroup memory of a core, and registers of an invocation beside sums. */
const REGISTERS = 65536;
const CORE_MEMORY = 65536;
const OTHER_REGISTERS = 40;
/** What multiplies side by side in a core, of which each goes on with one group of invocations at a time. */
const SCHEDULERS = 4;
const GROUP = 32;
/** Cycles from the first read of workgroup memory for four k until all of them are there. */
const LATENCY = 128;
/** Cycles that a barrier takes, and until the first loads are there and the last sums are stored. */
const BARRIER = 60;
const BEGIN = 1500;

/** Names a tile as measurements do. */
export function tileName(candidate: Candidate): string {
  const { WORKGROUP, TILE_M, TILE_N, TILE_K, COLUMNS, STAGES } = sizesOf(candidate);
  const { LANES, MATRICES } = candidate;
  const kind = MATRICES ? "matrices" : LANES ? `lanes ${LANES}` : STAGES;
  return `${TILE_M} ${TILE_N} ${TILE_K} ${WORKGROUP} ${COLUMNS} ${kind}`;
}

/** A product whose sizes differ by so many factors of two in all tells nothing of another. */
const FAR = 8;

/**
 * How much slower than the model a tile was where the adapter was measured, by the product that is most
 * like this one: 1 where nothing like it was.
 */
function measuredShare(problem: ProductProblem, candidate: Candidate, traits: Traits): number {
  const name = traits.name?.toLowerCase() ?? "";
  const known = [...measuredProducts].filter(([begin]) => `${name} `.startsWith(`${begin} `));
  const { dtype, BATCH, M, N, K } = problem;
  const distance = (sizes: readonly number[]) =>
    [BATCH, M, N, K].reduce((sum, n, i) => sum + Math.abs(Math.log2(n / sizes[i])), 0);
  const all = known.flatMap(([, products]) => products);
  if (all.length === 0) return 1;
  const { sizes, times } = all.reduce((a, b) => (distance(b.sizes) < distance(a.sizes) ? b : a));
  const [batch, m, n, k] = sizes;
  const like: ProductProblem = { dtype, BATCH: batch, M: m, N: n, K: k };
  // What of a time the model does not say; in all what no tile differs by.
  const excess = (own: Candidate) => Math.log(times[tileName(own)] / modelCost(like, own, traits));
  const found = [SMALLEST, ...candidates].map(excess).filter((x) => Number.isFinite(x));
  const mean = found.reduce((sum, x) => sum + x, 0) / found.length;
  const isKnown = times[tileName(candidate)] > 0;
  // One that did not run is as much worse than the model as any; subgroups may have been left out.
  const other = candidate.LANES || candidate.MATRICES ? mean : Math.max(...found);
  const own = isKnown ? excess(candidate) : other;
  return Math.exp((own - mean) * Math.max(0, 1 - distance(sizes) / FAR));
}

/** What a product should cost by the model, and by what was measured where there is that. */
export function cost(problem: ProductProblem, candidate: Candidate, traits: Traits): number {
  return modelCost(problem, candidate, traits) * measuredShare(problem, candidate, traits);
}

/** What matrices of subgroups may take, of which only measurements tell: among the first to be measured. */
const MATRICES_TAKE = 0.5;

/** What a product should cost by the model, on GPUs of few, some and many cores. */
function modelCost(problem: ProductProblem, candidate: Candidate, { name = "" }: Traits): number {
  const [own, cores, most] = GPUS.find(([vendor]) => vendor.test(name)) ?? OTHER_GPU;
  const costs = MORE_CORES.map(
    (more) => more * cyclesOf(problem, candidate, name, [own, more * cores, most]),
  );
  const mean = costs.reduce((sum, n) => sum + n, 0) / costs.length;
  return candidate.MATRICES ? MATRICES_TAKE * mean : mean;
}

/**
 * How many cycles a product should take, by a model: each core does its share of the tiles; a tile takes as long
 * as what is slowest of multiplying, reading workgroup memory, and loading; and what few invocations do not
 * hide. Of use to compare tiles, not as a time.
 */
function cyclesOf(
  { BATCH, M, N, K }: ProductProblem,
  candidate: Candidate,
  name: string,
  [, cores, mostRegisters]: Gpu,
): number {
  const { WORKGROUP, TILE_M, TILE_N, TILE_K, COLUMNS, STAGES, LANES = 0 } = sizesOf(candidate);
  const rows = rowsOf(candidate);
  const tiles = BATCH * Math.ceil(M / TILE_M) * Math.ceil(N / TILE_N);
  const turns = Math.ceil(K / TILE_K);
  // A turn of one workgroup, alone on a core.
  const multiplied = (TILE_M * TILE_N * TILE_K) / MULTIPLIERS;
  const quads = (TILE_K / 4) * WORKGROUP;
  // Compilers read b for four k at once, or one by one where registers are few; what is too much even
  // then goes to the cache and back for each four k.
  const blocks = LANES ? 2 : Math.ceil(((TILE_M + TILE_N) * TILE_K) / 16 / WORKGROUP);
  const registers = rows * COLUMNS + 16 * blocks + rows + 4 * COLUMNS + OTHER_REGISTERS;
  const spilled = Math.max(0, registers - rows - 3 * COLUMNS - mostRegisters);
  // Neighbours share rows of a. Lanes hand on its numbers one by one, and load b themselves.
  const handed = (4 * quads * rows) / (READS_REGISTERS.test(name) ? MULTIPLIERS : READS);
  const taken = LANES
    ? handed + (16 * quads * COLUMNS) / NEAR_BYTES
    : (quads * (rows + 2 * COLUMNS)) / READS;
  const read = taken + (8 * quads * spilled) / NEAR_BYTES;
  const loaded = (4 * (TILE_M + TILE_N) * TILE_K) / BYTES;
  const busy = Math.max(multiplied, read, loaded) + 0.25 * (read + loaded);
  // How many run side by side on a core, of those that there are.
  const most = Math.min(
    Math.floor(REGISTERS / (Math.min(registers, mostRegisters) * WORKGROUP)),
    Math.floor(CORE_MEMORY / memoryOf(sizesOf(candidate))),
  );
  const share = tiles / cores;
  const resident = Math.max(1, Math.min(most, share));
  // A group of invocations multiplies for `work` cycles and waits for the next four k; others go on meanwhile,
  // the fewer of them are wanted the more sums each invocation owns.
  const groups = (resident * WORKGROUP) / (GROUP * SCHEDULERS);
  const work = 4 * rows * COLUMNS;
  const wait = LANES ? 2 * LATENCY : LATENCY; // the cache is farther away
  const hidden = Math.min(1, (groups * work) / (work + wait));
  const turn = busy / hidden ** 0.5 + ((3 - STAGES) * BARRIER) / resident; // some reads begin early
  return Math.max(1, Math.ceil(share)) * (turns * turn + BEGIN / resident);
}

/**
 * The sizes of a candidate of matmul-tiles.wgsl, of matmul-lanes.wgsl, which is without barriers as if it had
 * a stage more, or of the one of matmul.wgsl.
 */
function sizesOf(candidate: Candidate): Candidate {
  const { TILE_M, LANES } = candidate;
  if (LANES) return { ...candidate, TILE_K: (16 * LANES) / rowsOf(candidate), STAGES: 3 };
  return TILE_M ? candidate : { ...SMALLEST, WORKGROUP: candidate.WORKGROUP };
}

/** Rows that an invocation owns. */
function rowsOf({ WORKGROUP, TILE_M = 32, TILE_N = 32, COLUMNS = 4 }: Candidate): number {
  return (TILE_M * TILE_N) / (WORKGROUP * COLUMNS);
}

function memoryOf({ TILE_M, TILE_N, TILE_K, STAGES, LANES }: Candidate): number {
  return LANES ? 4 : 4 * STAGES * (TILE_M + TILE_N) * TILE_K;
}

export { sumParts } from "./part-sums.ts";
export { tiled as kernels };
