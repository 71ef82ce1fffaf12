import { dependsOn, type Fusion, type Group, type Reads } from "./fusion.ts";
import { resultsOf } from "./program.ts";

/**
 * Joins pointwise groups to the groups before them where element i is made of element i: the update
 * of a parameter to its gradient's product, the gradient of a loss to its softmax. What only the
 * joined group needed is stored no longer.
 *
 * @param bindingLimit how many values one kernel may read and write.
 * @param homes new value → the state in whose memory it is expected to be written.
 */
export function merge(fusion: Fusion, bindingLimit: number, homes: Homes): void {
  const results = resultsOf(fusion.program);
  for (let again = true; again; ) {
    again = false;
    for (const group of [...fusion.groups]) {
      if (group.anchor !== null || !fusion.groups.includes(group)) continue;
      const before = fusion.sources(group).find((other) => mayJoin(fusion, other, group));
      if (!before) continue;
      const joined = fusion.joined(before, group, results);
      const whole = { ...joined, outputs: [...before.outputs, ...group.outputs] };
      if (bindings(fusion, whole, joined.outputs, homes) > bindingLimit) continue;
      fusion.join(before, group, joined);
      again = true;
    }
  }
}

function mayJoin(fusion: Fusion, first: Group, second: Group): boolean {
  // Bytes are stored four at a time, by groups of their own.
  const isBytes = (step: number) => fusion.program.steps[step].dtype === "u8";
  if ([...first.outputs, ...second.outputs].some(isBytes)) return false;
  const before = (group: Group) => fusion.sources(group);
  for (const [step, aligned] of fusion.reads(second)) {
    const producer = fusion.producer(step);
    if (producer === first ? !aligned : producer && dependsOn(producer, first, before))
      return false;
  }
  return true;
}

/** New value → the state in whose memory it is written. */
export type Homes = ReadonlyMap<number, number>;

/**
 * How many buffers a group's kernel binds that stores some of its outputs; a state's old and new
 * value count as one. The last of several stages reads what the epilogue needs and the stage before.
 */
export function bindings(
  fusion: Fusion,
  group: Group,
  written: readonly number[],
  homes: Homes,
): number {
  const places = written.map((step) => homes.get(step) ?? step);
  const count = (reads: Reads) => new Set([...reads.keys(), ...places]).size;
  const all = count(fusion.reads(group));
  return group.anchor === null ? all : Math.max(all, count(fusion.epilogueReads(group)) + 1);
}
