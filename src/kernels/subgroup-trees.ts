import source from "../../shaders/lib/subgroups.wgsl?raw";
import { getOrInsert } from "../core/get-or-insert.ts";
import type { Family, Kernel, KernelChoice, Problem } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";

// Part of a script that is loaded on demand: only what was measured to be faster takes these.

/** The file of the tree in whose place this one stands. */
const TREE = "shaders/lib/workgroup.wgsl";
const subgroupTree: ShaderFile = { name: "shaders/lib/subgroups.wgsl", source };

/** How many invocations every subgroup of a device has; 0 where there are none. */
export function lanesOf({
  features,
  adapterInfo,
}: Pick<GPUDevice, "features" | "adapterInfo">): number {
  return features.has("subgroups") ? (adapterInfo?.subgroupMinSize ?? 0) : 0;
}

/** What is made of a kernel once, for each number of lanes. */
const made = new WeakMap<Kernel<never>, Map<number, Kernel<never>>>();

/**
 * Lists kernels of rows whose workgroups end their trees by subgroups, with fewer barriers: the same
 * pairs, and so the same bits, as without.
 * @param lanes invocations that every subgroup has, a power of two; 0 where there are no subgroups.
 */
export function subgroupChoices<P extends Problem>(
  { kernels }: Family<P>,
  lanes: number,
): KernelChoice<P>[] {
  if (lanes < 2 || !Number.isInteger(Math.log2(lanes))) return [];
  return kernels.filter(isJoined).flatMap((base) => {
    const kernel = bySubgroups(base, lanes);
    return kernel.candidates.map((candidate) => ({ kernel, candidate }));
  });
}

/** Whether a kernel has a tree, of what subgroups can hand on: numbers and vectors. */
function isJoined<P extends Problem>({ files }: Kernel<P>): boolean {
  const hasTree = files.some(({ name }) => name === TREE);
  return hasTree && !files.some(({ source }) => /^struct Item/m.test(source));
}

function bySubgroups<P extends Problem>(kernel: Kernel<P>, lanes: number): Kernel<P> {
  const own = getOrInsert(made, kernel, () => new Map());
  const make = (): Kernel<P> => ({
    ...kernel,
    files: kernel.files.map((file) => (file.name === TREE ? subgroupTree : file)),
    subgroups: true,
    candidates: kernel.candidates
      .filter(({ WORKGROUP }) => WORKGROUP >= lanes)
      .map((candidate) => ({ ...candidate, LANES: lanes })),
  });
  return getOrInsert(own as Map<number, Kernel<P>>, lanes, make);
}
