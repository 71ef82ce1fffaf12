import type { Group } from "./schedule.ts";

/** Which values are no longer read after each group. */
export function lastUses(groups: readonly Group[], kept: ReadonlySet<number>): number[][] {
  const last = new Map<number, number>();
  groups.forEach((group, at) => {
    for (const step of [...group.inputs, group.output]) last.set(step, at);
  });
  const freed: number[][] = groups.map(() => []);
  for (const [step, at] of last) if (!kept.has(step)) freed[at].push(step);
  return freed;
}
