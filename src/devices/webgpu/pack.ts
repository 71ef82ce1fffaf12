import { bisect } from "../../core/bisect.ts";
import { FULL_GRID, MOST_PARTS } from "../../kernels/choose.ts";
import type { Job } from "./jobs.ts";

/** What one dispatch may hold. */
export interface PackLimits {
  /** Buffers that one kernel may bind. */
  readonly bindings: number;
  /** Bytes of workgroup memory. */
  readonly memory: number;
}

/** How many jobs that may run are tried for one dispatch. */
const LOOK_LIMIT = 256;

/**
 * Puts jobs that do not wait for each other into one dispatch, as far as its limits allow: first
 * those on which the longest chain of others waits. What waits for nothing runs as late as it may
 * where that takes no more dispatches: so each step of time makes what it needs, in one kernel for
 * all of them, and nothing lies in memory for long.
 */
export function pack(jobs: readonly Job[], limits: PackLimits): Job[][] {
  const [early, late] = [false, true].map((isLate) => packed(jobs, limits, isLate));
  return late.length <= early.length ? late : early;
}

function packed(jobs: readonly Job[], limits: PackLimits, isLate: boolean): Job[][] {
  const depth = depths(jobs);
  const kinds = new Map([...new Set(jobs.map(({ kind }) => kind))].map((kind, i) => [kind, i]));
  const kindOf = ({ kind }: Job) => kinds.get(kind) as number;
  const urgency = new Map(jobs.map((job, i) => [job, at(depth, job) * jobs.length - i]));
  /** Jobs that may run, the most urgent at the end. */
  const ready: Job[] = [];
  const later = new Map<Job, Job[]>(jobs.map((job) => [job, []]));
  const missing = new Map<Job, number>();
  const count = (job: Job, n: number) => {
    missing.set(job, n);
    const own = at(urgency, job);
    if (n === 0)
      ready.splice(
        bisect(ready, (other) => at(urgency, other) < own),
        0,
        job,
      );
  };
  for (const job of jobs) {
    for (const before of job.after) at(later, before).push(job);
    count(job, job.after.length);
  }
  const dispatches: Job[][] = [];
  while (ready.length > 0) {
    const parts: Job[] = [];
    const isTaken = taker(parts, limits);
    const tried = ready.splice(-LOOK_LIMIT).reverse();
    const most = at(depth, tried[0]);
    const mayWait = (job: Job) => isLate && job.after.length === 0 && at(depth, job) > 1;
    const isDue = (job: Job) => at(depth, job) === most || !mayWait(job);
    ready.push(...tried.filter((job) => !(isDue(job) && isTaken(job))).reverse());
    for (const job of parts) for (const next of at(later, job)) count(next, at(missing, next) - 1);
    // Equal jobs in one order, that their kernels may be equal.
    dispatches.push(parts.sort((a, b) => kindOf(a) - kindOf(b)));
  }
  return dispatches;
}

function at<T>(map: ReadonlyMap<Job, T>, job: Job): T {
  return map.get(job) as T;
}

/** How many jobs wait for each other behind each one. */
function depths(jobs: readonly Job[]): Map<Job, number> {
  const depth = new Map<Job, number>(jobs.map((job) => [job, 1]));
  for (const job of [...jobs].reverse()) {
    const own = at(depth, job);
    for (const before of job.after) depth.set(before, Math.max(at(depth, before), own + 1));
  }
  return depth;
}

/** Puts jobs among the parts of a dispatch as long as there is room; says of each whether it was. */
function taker(parts: Job[], limits: PackLimits): (job: Job) => boolean {
  const bound = new Set<number>();
  let memory = 0;
  let hasLarge = false;
  return (job) => {
    const { threads, workgroups, memory: own = 0 } = job.stage;
    const isLarge = workgroups > FULL_GRID;
    let room = limits.bindings - bound.size;
    const mayBind = (key: number) => bound.has(key) || room-- > 0;
    const fits =
      parts.length < MOST_PARTS &&
      threads === parts[0]?.stage.threads &&
      !(isLarge && hasLarge) &&
      memory + own <= limits.memory &&
      job.reads.every(mayBind) &&
      job.writes.every((key) => job.reads.includes(key) || mayBind(key));
    if (!fits && parts.length > 0) return false;
    parts.push(job);
    memory += own;
    hasLarge ||= isLarge;
    for (const key of [...job.reads, ...job.writes]) bound.add(key);
    return true;
  };
}
