import rowsSource from "../../shaders/attention.wgsl?raw";
import keysSource from "../../shaders/attention-keys.wgsl?raw";
import queriesSource from "../../shaders/attention-queries.wgsl?raw";
import partSource from "../../shaders/lib/attention.wgsl?raw";
import loadedSource from "../../shaders/lib/loaded-rows.wgsl?raw";
import tiledSource from "../../shaders/lib/tiled-rows.wgsl?raw";
import type { Accessor, Candidate, Family, Kernel, Load } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { attentionRule } from "./choose-attention.ts";
import type { AttentionProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { RANDOM } from "./shaders.ts";

// Files of their own, for few apps attend to anything.

/* @__NO_SIDE_EFFECTS__ */
function file(name: string, source: string): ShaderFile {
  return { name: `shaders/${name}.wgsl`, source };
}

const part = /* @__PURE__ */ file("lib/attention", partSource);
const loadedRows = /* @__PURE__ */ file("lib/loaded-rows", loadedSource);
const tiledRows = /* @__PURE__ */ file("lib/tiled-rows", tiledSource);

/** The sizes of workgroups that walk along rows in tiles. */
const TILED: readonly Candidate[] = /* @__PURE__ */ [32, 64].flatMap((WORKGROUP) =>
  [32, 16, 8, 4].map((TILE) => ({ WORKGROUP, TILE })),
);

/** Rows of DEPTH or WIDTH elements, which are read and written by fours. */
function rowsOf(name: string, batch: number, count: number, length: number): Load {
  const isRagged = length % 4 !== 0;
  return { name, extents: [batch, count, length], ragged: [false, false, isRagged] };
}

/** What one of the kernels reads and writes beside q, k, v and masks. */
interface Walk {
  readonly entry: ShaderFile;
  /** Whether invocations own rows of keys and walk along queries. */
  readonly ownsKeys: boolean;
  readonly isGradient: boolean;
  results(problem: AttentionProblem): readonly Accessor[];
}

/* @__NO_SIDE_EFFECTS__ */
function family({ entry, ownsKeys, isGradient, results }: Walk): Family<AttentionProblem> {
  const kernel = (isTiled: boolean): Kernel<AttentionProblem> => ({
    kind: isTiled ? "workgroup" : "direct",
    order: "walk",
    files: [part, isTiled ? tiledRows : loadedRows, entry],
    libraries: RANDOM,
    functions: { scaled: "(x: Acc) -> Acc", share: "(x: Acc, bits: u32) -> Acc" },
    candidates: isTiled ? TILED : OPEN,
    layout: (problem, { WORKGROUP, TILE }) => {
      const { BATCH, ROWS, KEYS, DEPTH, WIDTH } = problem;
      const [owned, walked] = ownsKeys ? [KEYS, ROWS] : [ROWS, KEYS];
      const row = { extents: [BATCH, ROWS] };
      const fours = Math.ceil(DEPTH / 4) + Math.ceil(WIDTH / 4);
      return {
        constants: { TILE: TILE ?? walked },
        loads: [
          { ...rowsOf("q", BATCH, ROWS, DEPTH), wide: 2 },
          { ...rowsOf("k", BATCH, KEYS, DEPTH), wide: 2 },
          { ...rowsOf("v", BATCH, KEYS, WIDTH), wide: 2 },
          { name: "mask", extents: [BATCH, ROWS, KEYS] },
          { name: "words", extents: [BATCH, 4], dtype: "u32" },
          ...(isGradient
            ? [
                { ...rowsOf("g", BATCH, ROWS, WIDTH), wide: 2 },
                { name: "lse", ...row },
                { name: "delta", ...row },
              ]
            : []),
        ],
        results: results(problem),
        workgroups: Math.ceil(owned / WORKGROUP) * BATCH,
        memory: isTiled ? 16 * fours * (TILE as number) : 0,
      };
    },
  });
  return {
    prologueCost: 4,
    rule: (problem, traits) => attentionRule(problem, traits, ownsKeys),
    kernels: [kernel(true), kernel(false)],
  };
}

/** Averages rows of v by the weights that rows of q and k have for each other; gives their log-sums. */
export const attentionRows: Family<AttentionProblem> = /* @__PURE__ */ family({
  entry: file("attention", rowsSource),
  ownsKeys: false,
  isGradient: false,
  results: ({ BATCH, ROWS, WIDTH }) => [
    rowsOf("y", BATCH, ROWS, WIDTH),
    { name: "lse", extents: [BATCH, ROWS] },
  ],
});

/** Computes the cotangent of q. */
export const attentionQueries: Family<AttentionProblem> = /* @__PURE__ */ family({
  entry: file("attention-queries", queriesSource),
  ownsKeys: false,
  isGradient: true,
  results: ({ BATCH, ROWS, DEPTH }) => [rowsOf("y", BATCH, ROWS, DEPTH)],
});

/** Computes the cotangents of k and v. */
export const attentionKeys: Family<AttentionProblem> = /* @__PURE__ */ family({
  entry: file("attention-keys", keysSource),
  ownsKeys: true,
  isGradient: true,
  results: ({ BATCH, KEYS, DEPTH, WIDTH }) => [
    rowsOf("y", BATCH, KEYS, DEPTH),
    rowsOf("z", BATCH, KEYS, WIDTH),
  ],
});
