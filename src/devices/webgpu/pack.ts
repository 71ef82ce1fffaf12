import { bisect } from "../../core/bisect.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import type { BufferOf } from "../../engine/merge.ts";
import { FULL_GRID, MOST_PARTS } from "../../kernels/choose.ts";
import { directProducts } from "../../kernels/matmul.ts";
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
  const early = packed(all, limits, false);
  if (!all.some(({ mayWait }) => mayWait)) return early;
  const late = packed(all, limits, true);
  return late.length <= early.length ? late : early;
}

/** A job that waits for its dispatch. */
interface Waiting {
  readonly job: Job;
  /** Equal jobs have equal numbers. */
  readonly kind: number;
  /** The buffers that it binds, counted from 0. */
  readonly buffers: readonly number[];
  /** Equal for jobs that may be done by one part of a kernel. */
  readonly part: number;
  readonly threads: number;
  /** Bytes of workgroup memory. */
  readonly memory: number;
  readonly isLarge: boolean;
  /** Whether it waits for nothing and need not run at once. */
  mayWait: boolean;
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
  const parts = new Map<string, number>();
  const places = new Map<number, number>();
  const placeOf = (value: number) => getOrInsert(places, bufferOf(value), () => places.size);
  const all = new Map(
    jobs.map((job, i): [Job, Waiting] => {
      const { threads, workgroups, memory = 0 } = job.stage;
      const kind = getOrInsert(kinds, job.kind, () => kinds.size);
      const buffers = [...new Set([...job.reads, ...job.writes].map(placeOf))];
      const part = getOrInsert(parts, `${kind} ${buffers}`, () => parts.size);
      const isLarge = workgroups > FULL_GRID;
      const own = { job, kind, buffers, part, threads, memory, isLarge };
      const mayWait = job.after.length === 0;
      return [job, { ...own, mayWait, depth: 1, urgency: -i, missing: 0, next: [] }];
    }),
  );
  const list = [...all.values()];
  for (const one of [...list].reverse()) {
    one.urgency += one.depth * jobs.length;
    one.mayWait &&= one.depth > 1;
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
    if (one.missing === 0) ready.push(one);
  }
  ready.sort((a, b) => a.urgency - b.urgency);
  const dispatches: Job[][] = [];
  const taker = takers(all, limits);
  while (ready.length > 0) {
    const parts: Waiting[] = [];
    const isTaken = taker(parts);
    const most = ready[ready.length - 1].depth;
    const isEarly = (one: Waiting) => isLate && one.mayWait && one.depth !== most;
    // Whoever is refused moves up, so that what is left out lies together.
    let kept = ready.length;
    let open = kept - 1;
    for (let refused = 0; open >= 0 && refused < LOOK_LIMIT; open--) {
      const one = ready[open];
      if (!isEarly(one) && isTaken(one)) continue;
      ready[--kept] = one;
      refused++;
    }
    ready.splice(open + 1, kept - open - 1);
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

/**
 * Puts jobs among the parts of a dispatch as long as there is room; says of each whether it was. Many
 * are refused again and again, so that it looks at little of them.
 */
function takers(all: readonly Waiting[], limits: PackLimits) {
  /** The last dispatch that binds each buffer, and that has each part. */
  const boundIn = new Uint32Array(all.reduce((sum, { buffers }) => sum + buffers.length, 0));
  const partIn = new Uint32Array(all.length);
  let dispatch = 0;
  return (parts: Waiting[]): ((one: Waiting) => boolean) => {
    let [bound, kinds, memory] = [0, 0, 0];
    let hasLarge = false;
    const pays = directProducts.loaded?.sharedParts();
    dispatch++;
    return (one) => {
      const { buffers, part, isLarge } = one;
      const isNew = partIn[part] !== dispatch;
      let added = 0;
      for (const buffer of buffers) if (boundIn[buffer] !== dispatch) added++;
      const fits =
        bound + added <= limits.bindings &&
        (kinds < MOST_PARTS || !isNew) &&
        one.threads === parts[0]?.threads &&
        !(isLarge && hasLarge) &&
        (memory + one.memory <= limits.memory || !isNew);
      if ((parts.length > 0 && !fits) || (pays && !pays(one.job.stage, isNew))) return false;
      parts.push(one);
      for (const buffer of buffers) boundIn[buffer] = dispatch;
      partIn[part] = dispatch;
      bound += added;
      if (isNew) {
        kinds++;
        memory += one.memory;
      }
      hasLarge ||= isLarge;
      return true;
    };
  };
}
