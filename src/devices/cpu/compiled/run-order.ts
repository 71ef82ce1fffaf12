import { postorder } from "../../../core/postorder.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import { refusingSteps } from "./group-code.ts";

/**
 * Puts the groups of a schedule in the order in which they run. Groups that may refuse values, and
 * what they wait for, run before all others, so that no state has changed where one does. Another
 * runs as soon as it may where that takes no more memory than it frees, as a parameter's gradient is
 * made as soon as what it is made of is there, which nobody else needs then.
 */
export function inRunOrder(schedule: KernelSchedule): KernelSchedule {
  const { groups, reads, after } = schedule;
  const refusing = [...groups.keys()].filter((i) => refusingSteps(schedule, groups[i]).length > 0);
  const order = freeingEarly(
    schedule,
    postorder(refusing, (i) => after[i]),
  );
  const places = new Map(order.map((i, place) => [i, place]));
  return {
    ...schedule,
    groups: order.map((i) => groups[i]),
    reads: order.map((i) => reads[i]),
    after: order.map((i) => after[i].map((other) => places.get(other) as number)),
  };
}

/** Memory of a value between groups. */
interface Between {
  readonly bytes: number;
  isTaken: boolean;
  /** How many groups that read or write it have not run, and the sum of their numbers. */
  left: number;
  rest: number;
}

/** Lists all groups behind the first ones, in their order but for those that run early. */
function freeingEarly(schedule: KernelSchedule, first: ReadonlySet<number>): number[] {
  const { groups, after } = schedule;
  const used = usedMemory(schedule);
  const waiting: number[][] = groups.map(() => []);
  const missing = after.map((others, i) => {
    for (const other of others) waiting[other].push(i);
    return others.length;
  });
  const done = new Set<number>();
  const taken = (i: number) =>
    used[i].reduce((sum, { bytes, isTaken, left }) => {
      return sum + (isTaken ? 0 : bytes) - (left === 1 ? bytes : 0);
    }, 0);
  const run = (group: number, mayGoOn: boolean) => {
    const open = [group];
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      if (done.has(i) || (i !== group && (missing[i] > 0 || taken(i) > 0))) continue;
      done.add(i);
      const next = new Set(waiting[i]);
      for (const other of next) missing[other]--;
      for (const memory of used[i]) {
        memory.isTaken = true;
        memory.rest -= i;
        if (--memory.left === 1) next.add(memory.rest);
      }
      if (mayGoOn) open.push(...[...next].sort((a, b) => b - a)); // the first one next
    }
  };
  for (const i of first) run(i, false);
  for (const i of groups.keys()) run(i, true);
  return [...done];
}

/** For each group the memory between groups that it reads or writes. */
function usedMemory({ program, groups, reads, homes }: KernelSchedule): readonly Between[][] {
  const given = new Set([...program.sources, ...program.outputs]);
  const all = new Map<number, Between>();
  return groups.map(({ outputs }, i) => {
    const keys = new Set([...reads[i], ...outputs].map((step) => homes.get(step) ?? step));
    return [...keys].flatMap((key) => {
      if (given.has(key)) return [];
      const known = all.get(key) ?? {
        bytes: sizeOf(program.steps[key].shape),
        isTaken: false,
        left: 0,
        rest: 0,
      };
      known.left++;
      known.rest += i;
      all.set(key, known);
      return [known];
    });
  });
}
