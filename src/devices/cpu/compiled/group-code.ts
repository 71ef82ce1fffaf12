import type { Group } from "../../../engine/fusion.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import type { FunctionWriter } from "./assembler.ts";
import type { Location } from "./closed.ts";

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

/** The steps in whose memory a group reads and writes, each once. */
export function pointersOf({ schedule }: GroupContext, group: Group): number[] {
  const all = [...group.reads.keys(), ...group.outputs];
  return [...new Set(all.map((step) => schedule.homes.get(step) ?? step))];
}
