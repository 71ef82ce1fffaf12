import type { Job } from "./jobs.ts";

/** What one dispatch may hold. */
export interface PackLimits {
  /** Buffers that one kernel may bind. */
  readonly bindings: number;
  /** Bytes of workgroup memory. */
  readonly memory: number;
}

/** More parts make a kernel that takes long to compile and gain little. */
const PART_LIMIT = 12;
/** Jobs of more workgroups than this fill a GPU alone; two of them gain nothing by sharing a dispatch. */
const LARGE = 4096;

/**
 * Puts jobs that do not wait for each other into one dispatch, as far as its limits allow: first
 * those on which the longest chain of others waits.
 */
export function pack(jobs: readonly Job[], limits: PackLimits): Job[][] {
  const depth = depths(jobs);
  const waiting = new Set(jobs);
  const dispatches: Job[][] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter((job) => !job.after.some((before) => waiting.has(before)));
    ready.sort((a, b) => (depth.get(b) as number) - (depth.get(a) as number));
    const parts: Job[] = [];
    for (const job of ready) if (fits(parts, job, limits)) parts.push(job);
    for (const job of parts) waiting.delete(job);
    dispatches.push(parts);
  }
  return dispatches;
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

function fits(parts: readonly Job[], job: Job, limits: PackLimits): boolean {
  if (parts.length === 0) return true;
  if (parts.length === PART_LIMIT || job.stage.threads !== parts[0].stage.threads) return false;
  const large = ({ stage }: Job) => stage.workgroups > LARGE;
  if (large(job) && parts.some(large)) return false;
  const all = [...parts, job];
  const memory = all.reduce((sum, { stage }) => sum + (stage.memory ?? 0), 0);
  const bound = new Set(all.flatMap(({ reads, writes }) => [...reads, ...writes]));
  return memory <= limits.memory && bound.size <= limits.bindings;
}
