import source from "../../shaders/lib/subgroups.wgsl?raw";
import { getOrInsert } from "../core/get-or-insert.ts";
import type { Family, Kernel, KernelChoice, Problem } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { matrixProducts } from "./subgroup-matrices.ts";
import { type SubgroupSizes, subgroupProducts } from "./subgroup-products.ts";
import { laneKernels } from "./subgroup-rows.ts";

// Part of a script that is loaded on demand: only what was measured to be faster takes these.

/** The file of the tree in whose place this one stands. */
const TREE = "shaders/lib/workgroup.wgsl";
const subgroupTree: ShaderFile = { name: "shaders/lib/subgroups.wgsl", source };

/** How many invocations the subgroups of a device have. */
export function lanesOf({
  features,
  adapterInfo,
}: Pick<GPUDevice, "features" | "adapterInfo">): SubgroupSizes {
  if (!features.has("subgroups")) return { least: 0, most: 0 };
  const { subgroupMinSize: least = 0, subgroupMaxSize: most = least } = adapterInfo ?? {};
  return { least, most };
}

/** What is made of a kernel once, for each number of lanes. */
const made = new WeakMap<Kernel<never>, Map<number, Kernel<never>>>();

/**
 * Lists kernels by subgroups, with fewer barriers or none: those of rows, each to the same bits as one
 * without, whose workgroups end their trees so, and that give each row some lanes; and products whose
 * subgroups share what they load.
 * @param values of how many ops a kernel reduces numbers at once.
 */
export function subgroupChoices<P extends Problem>(
  family: Family<P>,
  { least, most, matrices = 0 }: SubgroupSizes,
  values = 1,
): KernelChoice<P>[] {
  const isPower = (n: number) => Number.isInteger(Math.log2(n));
  if (least < 2 || !isPower(least)) return [];
  // These hand on no structures, which several values are.
  const trees = values > 1 ? [] : family.kernels.filter(isJoined);
  const isTiled = family.computes === "product" && family.kernels[0]?.kind === "workgroup";
  const shared = [
    isTiled && matrices > 0 && matrixProducts(matrices),
    isTiled && least >= 4 && isPower(most) && subgroupProducts({ least, most }),
  ].flatMap((kernel) => (kernel ? [kernel as Kernel<never> as Kernel<P>] : []));
  return [
    ...trees.map((base) => bySubgroups(base, least)),
    ...laneKernels(family, least, values),
    ...shared,
  ].flatMap((kernel) => kernel.candidates.map((candidate) => ({ kernel, candidate })));
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
    subgroups: "subgroups",
    candidates: kernel.candidates
      .filter(({ WORKGROUP }) => WORKGROUP >= lanes)
      .map((candidate) => ({ ...candidate, LANES: lanes })),
  });
  return getOrInsert(own as Map<number, Kernel<P>>, lanes, make);
}
