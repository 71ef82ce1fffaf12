import { sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import { stepsOf } from "../../../engine/group-ops.ts";
import type { Step } from "../../../engine/program.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import { flopsOf } from "../../../engine/stats.ts";
import type { Sharing } from "../threads/threads.ts";
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
  /** Whether that keeps what it holds from run to run, zeros at first. */
  readonly isKept?: boolean;
  /**
   * How many units it has that may be computed apart and at once. The function is given the first one
   * and the one behind the last, behind the addresses; left out where one call computes all.
   */
  readonly units?: number;
}

/** Memory of a function's own that keeps what it holds from run to run, zeros at first. */
export interface KeptMemory {
  /** The parameter with its address. */
  readonly pointer: number;
  /** Gives a part of so many bytes: where it begins. */
  take(bytes: number): number;
}

/** Bytes of memory of a group's own that a thread has, on lines of a cache that no other one has. */
export function ownBytes({ scratch }: Pick<GroupCode, "scratch">): number {
  return 64 * Math.ceil(scratch / 64);
}

/** What is known where a group's code is made. */
export interface GroupContext {
  readonly schedule: KernelSchedule;
  readonly locations: readonly Location[];
  /** Whether there is a multiply-add. */
  readonly isFused: boolean;
  /** How threads share the work, or one does it in parts. */
  readonly sharing: Sharing;
}

/** A group, and its function as it is being written. */
export interface GroupScope {
  readonly context: GroupContext;
  readonly group: Group;
  readonly f: FunctionWriter;
  /** The steps of the program that the group is of. */
  readonly program: readonly Step[];
}

/**
 * How one thread does long work in parts. Engines make quick code of a function after it has run for a
 * while, and the next call is the first that has it: a first step would be computed without.
 */
export const ALONE: Sharing = { count: 1, worth: 5e5, unit: 1024 };

/** The steps of a group that may refuse values. */
export function refusingSteps({ program }: KernelSchedule, group: Group): number[] {
  return group.outputs.filter((step) => program.steps[step].op?.throws);
}

/** Nanoseconds that take an operation on a number and a byte of memory, roughly. */
const FLOP_TIME = 0.12;
const BYTE_TIME = 0.05;

/**
 * Whether threads share a group whose outermost loop has so many units: where it takes long enough.
 *
 * @param flopTime nanoseconds that an operation of its kernel takes, roughly.
 */
export function isShared(
  { schedule, sharing }: GroupContext,
  group: Group,
  units: number,
  flopTime = FLOP_TIME,
): boolean {
  return (
    units > 1 &&
    !group.outputs.some((output) => schedule.scattered.has(output)) &&
    refusingSteps(schedule, group).length === 0 &&
    timeOf(schedule, group, flopTime) >= sharing.worth
  );
}

/** Nanoseconds that a group takes on one thread, roughly. */
function timeOf(schedule: KernelSchedule, group: Group, flopTime: number): number {
  const { steps } = schedule.program;
  let time = 0;
  for (const i of stepsOf(schedule, group)) {
    const flops = flopsOf(schedule.program, i);
    time += flops * (group.anchors.includes(i) ? flopTime : FLOP_TIME);
  }
  for (const i of [...group.reads.keys(), ...group.outputs]) {
    time += BYTE_TIME * 4 * sizeOf(steps[i].shape);
  }
  return time;
}
