import rowsSource from "../../shaders/attention.wgsl?raw";
import keysSource from "../../shaders/attention-keys.wgsl?raw";
import keysByQuads from "../../shaders/attention-keys-quads.wgsl?raw";
import rowsByQuads from "../../shaders/attention-quads.wgsl?raw";
import queriesSource from "../../shaders/attention-queries.wgsl?raw";
import queriesByQuads from "../../shaders/attention-queries-quads.wgsl?raw";
import partSource from "../../shaders/lib/attention.wgsl?raw";
import loadedSource from "../../shaders/lib/loaded-rows.wgsl?raw";
import quadQueriesSource from "../../shaders/lib/quad-queries.wgsl?raw";
import quadSource from "../../shaders/lib/quad-walk.wgsl?raw";
import tiledSource from "../../shaders/lib/tiled-rows.wgsl?raw";
import type { Accessor, Candidate, Family, Kernel, Load } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { attentionRule, isShort } from "./choose-attention.ts";
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
const quadWalk = /* @__PURE__ */ file("lib/quad-walk", quadSource);
const quadQueries = /* @__PURE__ */ file("lib/quad-queries", quadQueriesSource);
const tiledRows = /* @__PURE__ */ file("lib/tiled-rows", tiledSource);

/** The sizes of workgroups that walk along rows in tiles. */
const TILED: readonly Candidate[] = /* @__PURE__ */ [32, 64].flatMap((WORKGROUP) =>
  [32, 16, 8, 4].map((TILE) => ({ WORKGROUP, TILE })),
);

/** The sizes of workgroups in which four neighbours walk together. */
const QUADS: readonly Candidate[] = /* @__PURE__ */ OPEN.map((open) => ({ ...open, LANES: 4 }));

/** Rows of DEPTH or WIDTH elements, which are read and written by fours, or by so many. */
function rowsOf(name: string, batch: number, count: number, length: number, unit = 4): Load {
  const isRagged = length % unit !== 0;
  return { name, extents: [batch, count, length], ragged: [false, false, isRagged] };
}

/** What one of the kernels reads and writes beside q, k, v and masks. */
interface Walk {
  readonly entry: ShaderFile;
  /** The same where four neighbours walk together, with what loads its rows. */
  readonly quads: readonly ShaderFile[];
  /** Whether invocations own rows of keys and walk along queries. */
  readonly ownsKeys: boolean;
  readonly isGradient: boolean;
  results(problem: AttentionProblem): readonly Accessor[];
}

/* @__NO_SIDE_EFFECTS__ */
function family({ entry, quads, ownsKeys, isGradient, results }: Walk): Family<AttentionProblem> {
  const kernel = (
    files: readonly ShaderFile[],
    candidates: readonly Candidate[],
  ): Kernel<AttentionProblem> => ({
    kind: candidates === TILED ? "workgroup" : "direct",
    order: "walk",
    files: [part, ...files],
    subgroups: candidates === QUADS ? "subgroups" : undefined,
    fits: (problem) => candidates !== QUADS || isShort(problem),
    libraries: RANDOM,
    functions: { scaled: "(x: Acc) -> Acc", share: "(x: Acc, bits: u32) -> Acc" },
    candidates,
    layout: (problem, { WORKGROUP, TILE, LANES }) => {
      const { BATCH, ROWS, KEYS, DEPTH, WIDTH } = problem;
      const [owned, walked] = ownsKeys ? [KEYS, ROWS] : [ROWS, KEYS];
      const row = { extents: [BATCH, ROWS] };
      const unit = LANES ? 4 * LANES : 4;
      const fours = Math.ceil(DEPTH / 4) + Math.ceil(WIDTH / 4);
      return {
        constants: LANES ? undefined : { TILE: TILE ?? walked },
        loads: [
          { ...rowsOf("q", BATCH, ROWS, DEPTH, unit), wide: 2 },
          { ...rowsOf("k", BATCH, KEYS, DEPTH, unit), wide: 2 },
          { ...rowsOf("v", BATCH, KEYS, WIDTH, unit), wide: 2 },
          { name: "mask", extents: [BATCH, ROWS, KEYS] },
          { name: "words", extents: [BATCH, 4], dtype: "u32" },
          ...(isGradient
            ? [
                { ...rowsOf("g", BATCH, ROWS, WIDTH, unit), wide: 2 },
                { name: "lse", ...row },
                { name: "delta", ...row },
              ]
            : []),
        ],
        results: results(problem),
        workgroups: Math.ceil(owned / WORKGROUP) * BATCH,
        memory: 16 * fours * (TILE ?? 0),
      };
    },
  });
  return {
    prologueCost: 4,
    rule: (problem, traits) => attentionRule(problem, traits, ownsKeys),
    kernels: [
      kernel([tiledRows, entry], TILED),
      kernel([loadedRows, entry], OPEN),
      kernel([quadWalk, ...quads], QUADS),
    ],
  };
}

/** Averages rows of v by the weights that rows of q and k have for each other; gives their log-sums. */
export const attentionRows: Family<AttentionProblem> = /* @__PURE__ */ family({
  entry: file("attention", rowsSource),
  quads: [quadQueries, file("attention-quads", rowsByQuads)],
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
  quads: [quadQueries, file("attention-queries-quads", queriesByQuads)],
  ownsKeys: false,
  isGradient: true,
  results: ({ BATCH, ROWS, DEPTH }) => [rowsOf("y", BATCH, ROWS, DEPTH)],
});

/** Computes the cotangents of k and v. */
export const attentionKeys: Family<AttentionProblem> = /* @__PURE__ */ family({
  entry: file("attention-keys", keysSource),
  quads: [file("attention-keys-quads", keysByQuads)],
  ownsKeys: true,
  isGradient: true,
  results: ({ BATCH, KEYS, DEPTH, WIDTH }) => [
    rowsOf("y", BATCH, KEYS, DEPTH),
    rowsOf("z", BATCH, KEYS, WIDTH),
  ],
});
