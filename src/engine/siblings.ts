import { numbering } from "../core/numbering.ts";
import type { KernelForm, Problem } from "../forms/kernel.ts";
import { inferAll, type Op } from "../graph/op.ts";
import type { Fusion, Group } from "./fusion.ts";
import type { Program, Step } from "./program.ts";

const numberOf = /* @__PURE__ */ numbering();

/** What the kernel of an anchor has to compute. */
export function problemOf(program: Program, step: Step): Problem {
  const { attributes } = step;
  const op = step.op as Op;
  const inputs = step.inputs.map((input) => program.steps[input]);
  const [y] = inferAll(op, inputs, attributes);
  return (op.form as KernelForm<unknown>).problem({ inputs, y, attributes });
}

/** Equal for groups that one kernel may compute; null where none does. */
export function kinOf({ program }: Fusion, { anchors }: Group): string | null {
  const step = program.steps[anchors[0]];
  const form = step?.op?.form;
  if (form?.kind !== "kernel" || !form.family.joins) return null;
  const isOfInput = form.family.joins === "input";
  const own = isOfInput ? step.inputs : JSON.stringify(problemOf(program, step));
  return `${numberOf(form.family)} ${own}`;
}

/**
 * Joins groups that reduce the same rows to one, which reads them once: sums, of values and of their
 * squares, and the largest; a softmax and the logarithm of its sum. What one of them reads the other
 * reads too, and neither waits longer than alone.
 *
 * @param join joins two groups to one and gives it, or null where that would be too large.
 */
export function joinSiblings(
  fusion: Fusion,
  join: (first: Group, second: Group) => Group | null,
): void {
  const found = new Map<string, Group>();
  for (let group of fusion.groups) {
    const kin = kinOf(fusion, group);
    for (const read of kin ? group.reads.keys() : []) {
      const key = `${kin} ${group.rank} ${read}`;
      const other = found.get(key);
      if (other && other !== group && fusion.has(other)) {
        // One of them reads all that the other reads.
        const both = new Set([...other.reads.keys(), ...group.reads.keys()]);
        const isShared = both.size === Math.max(other.reads.size, group.reads.size);
        if (isShared) group = join(other, group) ?? group;
      }
      found.set(key, group);
    }
  }
}
