import { getOrInsert } from "../../../core/get-or-insert.ts";
import { postorder } from "../../../core/postorder.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import { total } from "../../../engine/stats.ts";
import { refusingSteps } from "./group-code.ts";
import { bytesOfElement } from "./lanes.ts";

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

/** Bytes that count as none. */
const SMALL = 256;

/** Memory of a value between groups. */
interface Between {
  readonly bytes: number;
  isTaken: boolean;
  /** The groups that read or write it and have not run. */
  readonly users: Set<number>;
}

/** Lists all groups behind the first ones, in their order but for those that run early. */
function freeingEarly(schedule: KernelSchedule, first: ReadonlySet<number>): number[] {
  const { after } = schedule;
  const used = usedMemory(schedule);
  const waiting: number[][] = after.map(() => []);
  for (const [i, others] of after.entries()) for (const other of others) waiting[other].push(i);
  const done = new Set<number>();
  const mayRun = (i: number) => {
    const taken = used[i].map(({ bytes, isTaken, users }) => {
      return (isTaken ? 0 : bytes) - (users.size > 1 ? 0 : bytes);
    });
    return total(taken) <= SMALL && after[i].every(done.has, done);
  };
  const run = (group: number) => {
    const open = [group];
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      if (done.has(i) || (i !== group && !mayRun(i))) continue;
      done.add(i);
      const next = [...waiting[i]];
      for (const memory of used[i]) {
        memory.isTaken = true;
        memory.users.delete(i);
        if (memory.users.size === 1) next.push(...memory.users);
      }
      if (!first.has(i)) open.push(...next.sort((a, b) => b - a)); // the first one next
    }
  };
  const all = [...after.keys()];
  // A number that all parameters' next values are made of, as a step's size is, keeps none waiting.
  for (const i of [...first, ...all.filter(mayRun), ...all]) run(i);
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
      const { shape, dtype } = program.steps[key];
      const bytes = sizeOf(shape) * bytesOfElement(dtype);
      const own = getOrInsert(all, key, () => ({
        bytes,
        isTaken: false,
        users: new Set<number>(),
      }));
      own.users.add(i);
      return own;
    });
  });
}
