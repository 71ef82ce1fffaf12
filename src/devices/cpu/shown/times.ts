import { opsOf } from "../../../engine/group-ops.ts";
import type { KernelTime, Profile } from "../../../engine/profile.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import type { PlanMemory } from "../compiled/plan-memory.ts";

/** A task's runs must have taken so many steps of the clock, and so many milliseconds. */
const CLOCK_STEPS = 50;
const LEAST = 0.5;
/** One that takes so many milliseconds runs once. */
const LONG = 20;
/** So often at most, it runs on what it made itself: more would lead away from numbers that occur. */
const MOST_IN_A_ROW = 64;
const MOST_RUNS = 10_000;

/** One task of a plan. */
interface TimedTask {
  readonly name: string;
  run(): void;
  /** Memory that it reads and changes. */
  readonly changed: readonly Uint8Array[];
}

/**
 * Runs tasks in order and takes the time of each by the host's clock. Short ones run until engines have
 * made fast code of them and then until the clock has moved far enough, always on the values that they
 * found; what they leave in memory is what one run leaves.
 */
export function timeTasks(tasks: readonly TimedTask[]): Profile {
  const enough = Math.max(LEAST, CLOCK_STEPS * clockStep());
  let start = 0;
  const kernels = tasks.map((task): KernelTime => {
    const own = { name: task.name, start, duration: 1000 * timeOf(task, enough) };
    start += own.duration;
    return own;
  });
  return { clock: "host", kernels };
}

/**
 * Takes the time of each group of a schedule.
 * @param run runs one of them.
 */
export function timeGroups(
  schedule: KernelSchedule,
  memory: PlanMemory,
  run: (group: number) => void,
): Profile {
  const tasks = schedule.groups.map((group, i): TimedTask => {
    const read = new Set(schedule.reads[i].map((step) => memory.home(step)));
    const own = group.outputs.map((step) => memory.home(step)).filter((home) => read.has(home));
    const changed = own.map(
      ({ address, bytes }) => new Uint8Array(memory.heap.buffer, address, bytes),
    );
    return { name: opsOf(schedule, group).join("+"), run: () => run(i), changed };
  });
  return timeTasks(tasks);
}

/** Milliseconds of one run, when its code has been compiled. */
function timeOf({ run, changed }: TimedTask, enough: number): number {
  const found = changed.map((bytes) => bytes.slice());
  const restore = () => {
    for (const [i, bytes] of changed.entries()) bytes.set(found[i]);
  };
  const first = timeRuns(run, 1);
  if (first >= LONG) return first;
  const average = () => {
    let [total, count] = [0, 0];
    for (let row = 1; total < enough && count < MOST_RUNS; row = Math.min(2 * row, MOST_IN_A_ROW)) {
      restore();
      total += timeRuns(run, row);
      count += row;
    }
    return total / count;
  };
  average();
  // What else runs on the machine can only make it longer.
  const duration = Math.min(average(), average(), average());
  restore();
  run();
  return duration;
}

function timeRuns(run: () => void, count: number): number {
  const begin = performance.now();
  for (let i = 0; i < count; i++) run();
  return performance.now() - begin;
}

/** Milliseconds between two times that the clock can tell apart: 0.1 in a page that is not isolated. */
function clockStep(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const begin = performance.now();
    let now = begin;
    while (now === begin) now = performance.now();
    least = Math.min(least, now - begin);
  }
  return least;
}
