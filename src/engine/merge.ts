import { dependsOn, domainSize, type Fusion, type Group } from "./fusion.ts";
import { resultsOf } from "./program.ts";

/**
 * Joins pointwise groups to the groups before them where element i is made of element i: the update
 * of a parameter to its gradient's product, the gradient of a loss to its softmax. What only the
 * joined group needed is stored no longer.
 *
 * @param bindingLimit how many values one kernel may read and write.
 */
export function merge(fusion: Fusion, bindingLimit: number): void {
  const results = resultsOf(fusion.program);
  for (let again = true; again; ) {
    again = false;
    for (const group of [...fusion.groups]) {
      if (group.anchor !== null || !fusion.groups.includes(group)) continue;
      const before = fusion.sources(group).find((other) => mayJoin(fusion, other, group));
      if (!before) continue;
      const joined = fusion.joined(before, group, results);
      if (bindings(fusion, before, group, joined) > bindingLimit) continue;
      fusion.join(before, group, joined);
      again = true;
    }
  }
}

function mayJoin(fusion: Fusion, first: Group, second: Group): boolean {
  // Bytes are stored four at a time, by groups of their own.
  const isBytes = (step: number) => fusion.program.steps[step].dtype === "u8";
  if ([...first.outputs, ...second.outputs].some(isBytes)) return false;
  if (domainSize(fusion, first) !== domainSize(fusion, second)) return false;
  const before = (group: Group) => fusion.sources(group);
  for (const [step, aligned] of fusion.reads(second)) {
    const producer = fusion.producer(step);
    if (producer === first ? !aligned : producer && dependsOn(producer, first, before))
      return false;
  }
  return true;
}

/**
 * How many values a joined group reads and writes; a state's old and new value count as one. The last
 * of several stages reads what the epilogue needs and the stage before.
 */
function bindings(fusion: Fusion, first: Group, second: Group, joined: Group): number {
  const { anchor } = joined;
  const homes = new Map(fusion.program.updates.map(({ source, value }) => [value, source]));
  const written = joined.outputs.map((step) => homes.get(step) ?? step);
  const whole = { anchor, outputs: [...first.outputs, ...second.outputs] };
  const all = new Set([...fusion.reads(whole).keys(), ...written]).size;
  if (anchor === null) return all;
  return Math.max(all, new Set([...fusion.epilogueReads(whole).keys(), ...written]).size + 1);
}
