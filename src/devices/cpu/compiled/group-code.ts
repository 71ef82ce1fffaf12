import { postorder } from "../../../core/postorder.ts";
import type { Group } from "../../../engine/fusion.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import type { FunctionWriter } from "./assembler.ts";
import type { Location } from "./closed.ts";

/** Where code notes that it refuses a value: in the memory's first bytes, which nobody is given. */
export const REFUSED = 0;

/** A function that computes a group, of the addresses of what it reads and writes. */
export interface GroupCode {
  readonly function: FunctionWriter;
  /** The steps whose memory it is given; the last address is that of memory of its own. */
  readonly steps: readonly number[];
  /** Bytes of that. */
  readonly scratch: number;
}

/** What is known where a group's code is made. */
export interface GroupContext {
  readonly schedule: KernelSchedule;
  readonly locations: readonly Location[];
  /** Whether there is a multiply-add. */
  readonly isFused: boolean;
}

/** The steps of a group that may refuse values. */
export function refusingSteps({ program }: KernelSchedule, group: Group): number[] {
  return group.outputs.filter((step) => program.steps[step].op?.throws);
}

/**
 * Runs groups that may refuse values, and what they wait for, before all others, so that no state has
 * changed where one does.
 */
export function refusingFirst(schedule: KernelSchedule): KernelSchedule {
  const { groups, reads, after } = schedule;
  const own = [...groups.keys()].filter((i) => refusingSteps(schedule, groups[i]).length > 0);
  const first = postorder(own, (i) => after[i]);
  const order = [...first, ...[...groups.keys()].filter((i) => !first.has(i))];
  const places = new Map(order.map((i, place) => [i, place]));
  return {
    ...schedule,
    groups: order.map((i) => groups[i]),
    reads: order.map((i) => reads[i]),
    after: order.map((i) => after[i].map((other) => places.get(other) as number)),
  };
}

/** The steps in whose memory a group reads and writes, each once. */
export function pointersOf({ schedule }: GroupContext, group: Group): number[] {
  const all = [...group.reads.keys(), ...group.outputs];
  return [...new Set(all.map((step) => schedule.homes.get(step) ?? step))];
}
