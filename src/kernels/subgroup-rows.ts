import argReduce from "../../shaders/arg-reduce-lanes.wgsl?raw";
import laneNumbers from "../../shaders/lib/lane-numbers.wgsl?raw";
import laneRows from "../../shaders/lib/lane-rows.wgsl?raw";
import laneTree from "../../shaders/lib/lane-tree.wgsl?raw";
import laneTurns from "../../shaders/lib/lane-turns.wgsl?raw";
import moments from "../../shaders/moments-lanes.wgsl?raw";
import reduce from "../../shaders/reduce-lanes.wgsl?raw";
import reduceQuads from "../../shaders/reduce-quads.wgsl?raw";
import softmax from "../../shaders/softmax-lanes.wgsl?raw";
import standardize from "../../shaders/standardize-lanes.wgsl?raw";
import { getOrInsert } from "../core/get-or-insert.ts";
import type { Constants, Family, Kernel, Problem } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { lanePlaces, PLACES_MEMORY } from "./lane-places.ts";
import type { RowsProblem } from "./problems.ts";

// Part of a script that is loaded on demand: only what was measured to be faster takes these.

/** Invocations of the tree by whose pairs rows are joined. */
const TREE = 64;
/** Lanes of a row that adds as one invocation does. */
const QUAD = 4;
/** Sizes of workgroup in the place of trees, and of single invocations. */
const SIZES = { workgroup: [64, 128, 256], direct: [16, 32, 64] };
/** Elements that a lane has, at the most, where a row could have twice as many. */
const MOST_EACH = 8;
/** Longer rows have trees of more invocations. */
const LONGEST = 1024;

const file = (name: string, source: string): ShaderFile => ({ name: `shaders/${name}`, source });

const owners = file("lib/lane-rows.wgsl", laneRows);
const numbers = file("lib/lane-numbers.wgsl", laneNumbers);
const tree = file("lib/lane-tree.wgsl", laneTree);
const turns = file("lib/lane-turns.wgsl", laneTurns);

/** By the file of a kernel's entry point: that of a kernel whose rows lanes own, and how these sum. */
const SIBLINGS: Readonly<Record<string, readonly ShaderFile[]>> = {
  "shaders/arg-reduce.wgsl": [file("arg-reduce-lanes.wgsl", argReduce)],
  "shaders/moments.wgsl": [tree, file("moments-lanes.wgsl", moments)],
  "shaders/moments-direct.wgsl": [turns, file("moments-lanes.wgsl", moments)],
  "shaders/reduce.wgsl": [numbers, file("reduce-lanes.wgsl", reduce)],
  "shaders/reduce-direct.wgsl": [numbers, file("reduce-quads.wgsl", reduceQuads)],
  "shaders/softmax.wgsl": [tree, file("softmax-lanes.wgsl", softmax)],
  "shaders/softmax-direct.wgsl": [turns, file("softmax-lanes.wgsl", softmax)],
  "shaders/standardize.wgsl": [tree, file("standardize-lanes.wgsl", standardize)],
  "shaders/standardize-direct.wgsl": [turns, file("standardize-lanes.wgsl", standardize)],
};

/** Files of what kernels for a whole workgroup or single invocations have, and those for lanes have not. */
const LEFT_OUT = ["shaders/lib/workgroup.wgsl", "shaders/lib/given-row.wgsl"];
/** Files of what makes rows itself, for the invocations that own them. */
const MAKER = /\/product-rows?\.wgsl$/;

/** What is made of a kernel once, for each number of lanes, and of values that it reduces at once. */
const made = new WeakMap<Kernel<never>, Map<string, Kernel<never>>>();

/**
 * Lists kernels that give each row some lanes of a subgroup, without barriers: those of
 * a tree of 64 invocations, to the same bits, and four in the place of one invocation, to the same bits.
 * @param least invocations that every subgroup has, a power of two; 0 where there are no subgroups.
 * @param values of how many ops a kernel reduces numbers at once, with a field for each.
 */
export function laneKernels<P extends Problem>(
  { kernels }: Family<P>,
  least: number,
  values: number,
): Kernel<P>[] {
  const most = Math.min(least, TREE);
  return kernels.flatMap((base) => {
    if (!(entryOf(base) in SIBLINGS) || base.files.some(({ name }) => MAKER.test(name))) return [];
    const counts = base.kind === "direct" ? [QUAD] : [TREE, 32, 16, 8, QUAD];
    const own = getOrInsert(made, base, () => new Map()) as Map<string, Kernel<P>>;
    return counts
      .filter((count) => count <= most)
      .map((count) =>
        getOrInsert(own, `${count} ${count === most} ${values}`, () =>
          byLanes(base as unknown as Kernel<RowsProblem>, count, count === most, values),
        ),
      ) as Kernel<P>[];
  });
}

function entryOf<P extends Problem>({ files }: Kernel<P>): string {
  return files[files.length - 1].name;
}

function byLanes(
  base: Kernel<RowsProblem>,
  LANES: number,
  isMost: boolean,
  values: number,
): Kernel<never> {
  const isTree = base.kind === "workgroup";
  const siblings = SIBLINGS[entryOf(base)].map((one) => (one === numbers ? handing(values) : one));
  // What is best, whatever is compared first, needs no tree's pairs.
  const more: Constants = isTree && !base.order ? { TREE } : {};
  const kernel: Kernel<RowsProblem> = {
    ...base,
    kind: "direct",
    files: [
      ...base.files.slice(0, -1).filter(({ name }) => !LEFT_OUT.includes(name)),
      ...[lanePlaces, owners, ...siblings],
    ],
    subgroups: "subgroups",
    order: base.order ?? (isTree ? `workgroup ${TREE}` : undefined),
    fits: ({ LENGTH }) =>
      !isTree ||
      ((LENGTH > LANES / 2 || LANES === QUAD) && LENGTH <= (isMost ? LONGEST : MOST_EACH * LANES)),
    candidates: SIZES[base.kind].map((WORKGROUP) => ({ WORKGROUP, LANES, ...more })),
    layout: (problem, candidate) => {
      const { constants, loads, results } = base.layout(
        problem,
        isTree ? { WORKGROUP: TREE } : candidate,
      );
      const { CHUNKS = 1, BLOCK = LANES } = constants ?? {};
      // Four terms at a time go beyond blocks, and so beyond a row.
      const isBeyond = problem.LENGTH % LANES > 0 || BLOCK % LANES > 0;
      const [x] = loads;
      const ragged = [false, x.ragged?.[1] || (siblings.includes(turns) && isBeyond)];
      return {
        constants,
        loads: [{ ...x, ragged }],
        results,
        workgroups: Math.ceil((problem.ROWS * CHUNKS * LANES) / candidate.WORKGROUP),
        memory: PLACES_MEMORY,
      };
    },
  };
  return kernel as Kernel<never>;
}

/** How lanes hand on what they have: a number, or a structure of several. */
function handing(values: number): ShaderFile {
  if (values < 2) return numbers;
  const fields = Array.from({ length: values }, (_, i) => `subgroupShuffleXor(x.v${i}, mask)`);
  return file(
    `lib/lane-values-${values}.wgsl`,
    `
fn across(x: Acc, mask: u32) -> Acc {
  return Acc(${fields.join(", ")});
}
`,
  );
}
