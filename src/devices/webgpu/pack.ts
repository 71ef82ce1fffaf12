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
  const places = new Map(jobs.map((job, i) => [job, i]));
  const isBehind = (a: Job, b: Job) =>
    numberOf(depth, a) - numberOf(depth, b) || numberOf(places, b) - numberOf(places, a);
  const later = new Map<Job, Job[]>(jobs.map((job) => [job, []]));
  const missing = new Map(jobs.map((job) => [job, job.after.length]));
  for (const job of jobs) for (const before of job.after) later.get(before)?.push(job);
  /** Jobs that may run, the most urgent at the end. */
  const ready = jobs.filter((job) => job.after.length === 0).sort(isBehind);
  const dispatches: Job[][] = [];
  while (ready.length > 0) {
    const parts = new SharedDispatch(limits);
    const tried = ready.splice(-LOOK_LIMIT).reverse();
    const most = numberOf(depth, tried[0]);
    const mayWait = (job: Job) => isLate && job.after.length === 0 && numberOf(depth, job) > 1;
    const isDue = (job: Job) => numberOf(depth, job) === most || !mayWait(job);
    const rest = tried.filter((job) => !(isDue(job) && parts.take(job)));
    ready.push(...rest.reverse());
    for (const job of parts.jobs) {
      for (const next of later.get(job) ?? []) {
        const count = numberOf(missing, next) - 1;
        missing.set(next, count);
        if (count === 0)
          ready.splice(1 + ready.findLastIndex((other) => isBehind(other, next) < 0), 0, next);
      }
    }
    // Equal jobs in one order, that their kernels may be equal.
    dispatches.push(parts.jobs.sort((a, b) => kindOf(a) - kindOf(b)));
  }
  return dispatches;
}

function numberOf(of: ReadonlyMap<Job, number>, job: Job): number {
  return of.get(job) as number;
}

/** Jobs that share a dispatch. */
class SharedDispatch {
  readonly jobs: Job[] = [];
  readonly #limits: PackLimits;
  readonly #bound = new Set<number>();
  #memory = 0;
  #isLarge = false;

  constructor(limits: PackLimits) {
    this.#limits = limits;
  }

  /** Takes a job where there is room for it; the first one always finds some. */
  take(job: Job): boolean {
    const { stage, reads, writes } = job;
    const memory = this.#memory + (stage.memory ?? 0);
    const isLarge = stage.workgroups > FULL_GRID;
    const fresh = new Set([...reads, ...writes].filter((key) => !this.#bound.has(key)));
    const [first] = this.jobs;
    const fits =
      !first ||
      (this.jobs.length < MOST_PARTS &&
        stage.threads === first.stage.threads &&
        !(isLarge && this.#isLarge) &&
        memory <= this.#limits.memory &&
        this.#bound.size + fresh.size <= this.#limits.bindings);
    if (!fits) return false;
    this.jobs.push(job);
    this.#memory = memory;
    this.#isLarge ||= isLarge;
    for (const key of fresh) this.#bound.add(key);
    return true;
  }
}

/** How many jobs wait for each other behind each one. */
function depths(jobs: readonly Job[]): Map<Job, number> {
  const depth = new Map<Job, number>(jobs.map((job) => [job, 1]));
  for (const job of [...jobs].reverse()) {
    const own = depth.get(job) as number;
    for (const before of job.after) {
      depth.set(before, Math.max(depth.get(before) as number, own + 1));
    }
  }
  return depth;
}
