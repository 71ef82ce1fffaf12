import type { Fusion, Group } from "./fusion.ts";
import { resultsOf } from "./program.ts";

/**
 * Lets groups write values between kernels in place: over one that nobody else reads, and they read
 * for element i at element i only. What is added up over many steps of time has one buffer so.
 *
 * @param homes value → in whose memory it is written; added to.
 */
export function reuse(fusion: Fusion, groups: readonly Group[], homes: Map<number, number>): void {
  const { steps } = fusion.program;
  const results = resultsOf(fusion.program);
  for (const group of groups) {
    if (group.anchors.length > 1) continue; // they are stored one after the other
    const free = [...group.reads]
      .filter(([step, aligned]) => aligned && !results.has(step) && steps[step].op !== null)
      .map(([step]) => step)
      .filter((step) => fusion.readers(step).length === 1);
    for (const output of group.outputs) {
      const over = free.find(
        (step) => !results.has(output) && steps[step].dtype === steps[output].dtype,
      );
      if (over === undefined) continue;
      free.splice(free.indexOf(over), 1);
      homes.set(output, homes.get(over) ?? over);
    }
  }
}
