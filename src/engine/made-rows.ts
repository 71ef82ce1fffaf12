import type { Family } from "../forms/kernel.ts";
import type { Fusion, Group } from "./fusion.ts";

// Part of a script of its own, which shares no code with others.

/** So many rows of so many elements, each a sum of K terms. */
interface RowSizes {
  readonly ROWS: number;
  readonly LENGTH: number;
  readonly K: number;
}

/** Tells whether a family's kernel had better make such rows itself. */
export type MakesRows = (family: Family<never>, product: RowSizes) => boolean;

/**
 * Finds the group of a product that the kernel of another group may make, row by row, in place of
 * reading it: none where somebody would wait longer.
 * @param results steps that are stored in any case.
 */
export function productFor(
  fusion: Fusion,
  group: Group,
  results: ReadonlySet<number>,
  makesRows: MakesRows,
): Group | undefined {
  const { steps } = fusion.program;
  const [anchor] = group.anchors;
  const form = steps[anchor]?.op?.form;
  if (form?.kind !== "kernel") return undefined;
  const { family } = form;
  const x = steps[steps[anchor].inputs[0]];
  const sources = fusion.sources(group);
  return sources.find((first) => {
    const [output] = first.outputs;
    const product = steps[first.anchors[0]];
    const own = product?.op?.form;
    if (own?.kind !== "kernel" || own.family.computes !== "product") return false;
    if (first.anchors.length + first.outputs.length > 2 || first.weight > family.prologueCost)
      return false;
    const [ROWS, LENGTH] = x.shape;
    const isAlike = product.shape[product.shape.length - 1] === LENGTH && product.dtype === x.dtype;
    const [K] = steps[product.inputs[0]].shape.slice(-1);
    // What others want too is stored beside the elements of the rows, and they wait for nothing new.
    const isWanted = results.has(output) || fusion.readers(output).length > 1;
    const isElement = fusion.resultAt(group.anchors, group.outputs[0]) === 0;
    const others = sources.filter((other) => other !== first);
    return (
      isAlike &&
      makesRows(family, { ROWS, LENGTH, K }) &&
      !others.some((other) => fusion.dependsOn(other, first)) &&
      (!isWanted || (isElement && others.every(({ rank }) => rank <= first.rank))) &&
      readsOwnRows(fusion, group, output)
    );
  });
}

/** Whether the rows of a group are made of nothing but their own elements of a value. */
function readsOwnRows(
  { program: { steps }, stored }: Fusion,
  { anchors, outputs }: Group,
  value: number,
): boolean {
  // A step is looked at by the elements in order, and once more where others of it are read too: as `~i`.
  const seen = new Set<number>(outputs);
  for (const key of seen) {
    const i = key < 0 ? ~key : key;
    if (i === value && key < 0) return false;
    if (stored.has(i) && !outputs.includes(i)) continue;
    const keeps = key >= 0 && (steps[i].op?.linear || anchors.includes(i));
    for (const input of steps[i].inputs) seen.add(keeps ? input : ~input);
  }
  return true;
}
