import ownRows from "../../shaders/lib/own-rows.wgsl?raw";
import quadRows from "../../shaders/lib/quad-rows.wgsl?raw";
import source from "../../shaders/matmul-direct.wgsl?raw";
import small from "../../shaders/matmul-small.wgsl?raw";
import type { Constants, Kernel } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import type { ProductProblem } from "./problems.ts";

// A script of its own, which shares no code with others: what it shared would be another script.

const main = { name: "shaders/matmul-direct.wgsl", source };
const SIZES = [16, 32, 64].map((WORKGROUP) => ({ WORKGROUP }));

/**
 * A product whose invocations load what they multiply themselves, or together with neighbours; each
 * owns so many columns.
 */
function kernel(
  files: readonly ShaderFile[],
  width: number,
  tiles: readonly Constants[],
): Kernel<ProductProblem> {
  return {
    kind: "direct",
    files,
    subgroups: tiles[0].LANES > 1,
    candidates: SIZES.flatMap((open) => tiles.map((tile) => ({ ...open, ...tile }))),
    layout: ({ BATCH, M, N, K }, { WORKGROUP, ROWS, LANES = 1 }) => {
      const columns = Math.ceil(N / (width * LANES)) * LANES;
      const owners = BATCH * Math.ceil(M / ROWS) * columns;
      const off = (size: number, tile: number) => size % tile !== 0;
      const deep = off(K, 4);
      const ragged = [false, off(M, ROWS) || off(owners, WORKGROUP), off(N, width * LANES)];
      const four = { wide: 2, block: 1 };
      return {
        loads: [
          { name: "a", extents: [BATCH, M, K], ragged: [false, false, deep], ...four },
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
  kernel([{ name: "shaders/matmul-small.wgsl", source: small }], 4, [{ ROWS: 4 }]),
  kernel([{ name: "shaders/lib/own-rows.wgsl", source: ownRows }, main], 8, [
    { ROWS: 8, LANES: 1 },
  ]),
  kernel(
    [{ name: "shaders/lib/quad-rows.wgsl", source: quadRows }, main],
    8,
    [12, 16, 20].map((ROWS) => ({ ROWS, LANES: 4 })),
  ),
];
