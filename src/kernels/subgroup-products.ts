import blocksSource from "../../shaders/lib/lane-blocks.wgsl?raw";
import source from "../../shaders/matmul-lanes.wgsl?raw";
import { getOrInsert } from "../core/get-or-insert.ts";
import type { Candidate, Kernel } from "../forms/kernel.ts";
import { lanePlaces, PLACES_MEMORY } from "./lane-places.ts";
import { tileLayout } from "./matmul.ts";
import type { ProductProblem } from "./problems.ts";

// Part of a script that is loaded on demand: only what was measured to be faster takes these.

/** How many invocations a subgroup of a device has, at the least and at the most; 0 where there are none. */
export interface SubgroupSizes {
  readonly least: number;
  readonly most: number;
  /** How many multiply matrices together, to the bits of other products; 0, or left out, where none do. */
  readonly matrices?: number;
}

/** What an invocation owns, and how many bands of so many rows a workgroup has. */
type Band = readonly [rows: number, columns: number, bands: number];

const BANDS: readonly Band[] = [
  [8, 4, 2],
  [16, 4, 2],
  [8, 4, 8],
  [16, 4, 4],
  [8, 8, 4],
];

/** Invocations of a band at the least; as many as any subgroup has, so that none lies in two bands. */
const LEAST_ACROSS = 32;
/** Invocations of a workgroup, at the most. */
const MOST = 256;

function candidateOf([rows, columns, bands]: Band, { least, most }: SubgroupSizes): Candidate {
  const across = Math.max(LEAST_ACROSS, most);
  return {
    WORKGROUP: across * bands,
    TILE_M: rows * bands,
    TILE_N: across * columns,
    COLUMNS: columns,
    LANES: Math.min(least, rows), // 16 elements each: a depth of 16 at the most
  };
}

/** The kernel of each size of subgroups. */
const made = new Map<string, Kernel<ProductProblem>>();

/**
 * Products whose subgroups hand round what they have of a, in the order of matmul.wgsl.
 * @param lanes powers of two, 4 at the least.
 */
export function subgroupProducts(lanes: SubgroupSizes): Kernel<ProductProblem> {
  const make = (): Kernel<ProductProblem> => ({
    kind: "workgroup",
    order: "workgroup 64", // that of matmul.wgsl
    files: [
      lanePlaces,
      { name: "shaders/lib/lane-blocks.wgsl", source: blocksSource },
      { name: "shaders/matmul-lanes.wgsl", source },
    ],
    subgroups: "subgroups",
    candidates: BANDS.map((band) => candidateOf(band, lanes)).filter(
      ({ WORKGROUP }) => WORKGROUP <= MOST,
    ),
    layout: (problem, { WORKGROUP, TILE_M, TILE_N, COLUMNS, LANES }) => {
      const rows = (TILE_M * TILE_N) / (WORKGROUP * COLUMNS);
      return tileLayout(problem, [TILE_M, TILE_N, (16 * LANES) / rows], PLACES_MEMORY);
    },
  });
  return getOrInsert(made, `${lanes.least} ${lanes.most}`, make);
}
