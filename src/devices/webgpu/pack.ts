import { bisect } from "../../core/bisect.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import type { BufferOf } from "../../engine/merge.ts";
import { FULL_GRID, MOST_PARTS } from "../../kernels/choose.ts";
import type { Job } from "./jobs.ts";

/** What one dispatch may hold. */
export interface PackLimits {
  /** Buffers that one kernel may bind. */
  readonly bindings: number;
  /** Bytes of workgroup memory. */
  readonly memory: number;
  /** The buffer in which a value lies; one of its own when left out. */
  readonly bufferOf?: BufferOf;
}

/** How many jobs that may run are refused before a dispatch is taken to be full. */
const LOOK_LIMIT = 256;

/**
 * Puts jobs that do not wait for each other into one dispatch, as far as its limits allow: first
 * those on which the longest chain of others waits. What waits for nothing runs as late as it may
 * where that takes no more dispatches: so each step of time makes what it needs, in one kernel for
 * all of them, and nothing lies in memory for long.
 */
export function pack(jobs: readonly Job[], limits: PackLimits): Job[][] {
  const all = waiting(jobs, limits);
  const [early, late] = [false, true].map((isLate) => packed(all, limits, isLate));
  return late.length <= early.length ? late : early;
}

/** A job that waits for its dispatch. */
interface Waiting {
  readonly job: Job;
  /** Equal jobs have equal numbers. */
  readonly kind: number;
  /** The buffers that it binds. */
  readonly buffers: readonly number[];
  /** Equal for jobs that may be done by one part of a kernel. */
  readonly part: string;
  /** How many jobs wait for each other behind it, itself among them. */
  depth: number;
  /** Which comes first: the deepest, then those before others. */
  urgency: number;
  /** How many jobs it waits for. */
  missing: number;
  /** What waits for it. */
  readonly next: Waiting[];
}

function waiting(
  jobs: readonly Job[],
  { bufferOf = (value) => value }: PackLimits,
): readonly Waiting[] {
  const kinds = new Map<string, number>();
  const all = new Map(
    jobs.map((job, i): [Job, Waiting] => {
      const kind = getOrInsert(kinds, job.kind, () => kinds.size);
      const buffers = [...new Set([...job.reads, ...job.writes].map(bufferOf))];
      const part = [job.kind, ...buffers].join();
      return [job, { job, kind, buffers, part, depth: 1, urgency: -i, missing: 0, next: [] }];
    }),
  );
  const list = [...all.values()];
  for (const one of [...list].reverse()) {
    one.urgency += one.depth * jobs.length;
    for (const job of one.job.after) {
      const before = all.get(job) as Waiting;
      before.depth = Math.max(before.depth, one.depth + 1);
      before.next.push(one);
    }
  }
  return list;
}

function packed(all: readonly Waiting[], limits: PackLimits, isLate: boolean): Job[][] {
  /** Jobs that may run, the most urgent at the end. */
  const ready: Waiting[] = [];
  const release = (one: Waiting) => {
    if (one.missing > 0) return;
    const place = bisect(ready, ({ urgency }) => urgency < one.urgency);
    ready.splice(place, 0, one);
  };
  for (const one of all) {
    one.missing = one.job.after.length;
    release(one);
  }
  const dispatches: Job[][] = [];
  while (ready.length > 0) {
    const parts: Waiting[] = [];
    const isTaken = taker(parts, limits);
    const refused: Waiting[] = [];
    const most = ready[ready.length - 1].depth;
    const mayWait = ({ job, depth }: Waiting) =>
      isLate && job.after.length === 0 && depth > 1 && depth !== most;
    while (refused.length < LOOK_LIMIT) {
      const one = ready.pop();
      if (!one) break;
      if (mayWait(one) || !isTaken(one)) refused.push(one);
    }
    ready.push(...refused.reverse());
    for (const part of parts) {
      for (const next of part.next) {
        next.missing--;
        release(next);
      }
    }
    // Equal jobs in one order, that their kernels may be equal.
    dispatches.push(parts.sort((a, b) => a.kind - b.kind).map(({ job }) => job));
  }
  return dispatches;
}

/** Puts jobs among the parts of a dispatch as long as there is room; says of each whether it was. */
function taker(parts: Waiting[], limits: PackLimits): (one: Waiting) => boolean {
  const bound = new Set<number>();
  const kinds = new Set<string>();
  let memory = 0;
  let hasLarge = false;
  return (one) => {
    const { buffers, part } = one;
    const { threads, workgroups, memory: own = 0 } = one.job.stage;
    const isLarge = workgroups > FULL_GRID;
    const added = buffers.filter((buffer) => !bound.has(buffer));
    const isNew = !kinds.has(part);
    const fits =
      (kinds.size < MOST_PARTS || !isNew) &&
      threads === parts[0]?.job.stage.threads &&
      !(isLarge && hasLarge) &&
      (memory + own <= limits.memory || !isNew) &&
      bound.size + added.length <= limits.bindings;
    if (!fits && parts.length > 0) return false;
    parts.push(one);
    kinds.add(part);
    if (isNew) memory += own;
    hasLarge ||= isLarge;
    for (const buffer of added) bound.add(buffer);
    return true;
  };
}
