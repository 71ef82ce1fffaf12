import ownRows from "../../shaders/lib/own-rows.wgsl?raw";
import quadRows from "../../shaders/lib/quad-rows.wgsl?raw";
import source from "../../shaders/matmul-direct.wgsl?raw";
import small from "../../shaders/matmul-small.wgsl?raw";
import type { Constants, Kernel, Load } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { QUAD_TILES } from "./choose-direct.ts";
import type { ProductProblem } from "./problems.ts";

// A script of its own, which shares no code with others: what it shared would be another script.

const main = { name: "shaders/matmul-direct.wgsl", source };
const SIZES = [16, 32, 64].map((WORKGROUP) => ({ WORKGROUP }));

/** The vectors of a matrix, of which each of four neighbours loads one. */
const sharedRows: Load["rows"] = (load, _, along) => {
  const lane = (axis: number) => (axis === along ? " + lane" : "");
  return `shared_rows(${load}(p0, p1${lane(1)}, p2${lane(2)}))`;
};

/** A product whose invocations load what they multiply themselves, or together with neighbours. */
function kernel(files: readonly ShaderFile[], tiles: readonly Constants[]): Kernel<ProductProblem> {
  return {
    kind: "direct",
    files,
    subgroups: tiles[0].LANES > 1 ? "subgroups" : undefined,
    candidates: SIZES.flatMap((open) => tiles.map((tile) => ({ ...open, ...tile }))),
    layout: ({ BATCH, M, N, K }, { WORKGROUP, ROWS, WIDTH = 4, LANES = 1 }) => {
      const columns = Math.ceil(N / (WIDTH * LANES)) * LANES;
      const owners = BATCH * Math.ceil(M / ROWS) * columns;
      const off = (size: number, tile: number) => size % tile !== 0;
      const deep = off(K, 4);
      const ragged = [false, off(M, ROWS) || off(owners, WORKGROUP), off(N, WIDTH * LANES)];
      const four = { wide: 2, block: 1 };
      const rows = LANES > 1 ? sharedRows : undefined;
      return {
        loads: [
          { name: "a", extents: [BATCH, M, K], ragged: [false, false, deep], ...four, rows },
          { name: "b", extents: [BATCH, K, N], ragged: [false, deep, false], ...four },
        ],
        results: [{ name: "y", extents: [BATCH, M, N], ragged, wide: 2 }],
        workgroups: Math.ceil(owners / WORKGROUP),
      };
    },
  };
}

export { directRule as rule, sharedParts } from "./choose-direct.ts";

/** Products by direct loads: each row by its own invocation, or for four neighbours at once. */
export const kernels: readonly Kernel<ProductProblem>[] = [
  kernel([{ name: "shaders/matmul-small.wgsl", source: small }], [{ ROWS: 4 }]),
  kernel(
    [{ name: "shaders/lib/own-rows.wgsl", source: ownRows }, main],
    [{ ROWS: 8, WIDTH: 8, LANES: 1 }],
  ),
  kernel(
    [{ name: "shaders/lib/quad-rows.wgsl", source: quadRows }, main],
    QUAD_TILES.map((tile) => ({ ...tile, LANES: 4 })),
  ),
];
