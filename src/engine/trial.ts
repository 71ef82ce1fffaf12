import { Breather } from "../core/event-loop.ts";
import { sizeOf } from "../core/shape.ts";
import type { Storage } from "../graph/device.ts";
import type { Node } from "../graph/node.ts";
import type { EngineDevice } from "./device.ts";
import { valuesOf } from "./exchange.ts";
import type { Rerun } from "./journal-entry.ts";
import type { Program } from "./program.ts";
import type { Session } from "./session.ts";
import { flopsOf, total } from "./stats.ts";

/** What is reckoned with before it is tried: milliseconds, operations and bytes a millisecond. */
const COST = { start: 10, flops: 2e6, bytes: 1e6 };
/** More operations a millisecond than the CPU does. */
const MOST_FLOPS = 5e8;
/** How many runs are timed together at the most. */
const MOST_RUNS = 1024;

/** A run, and what it was given. */
export interface GivenRun {
  readonly replay: Rerun;
  readonly nodes: readonly (Node | null)[];
}

/** How a run is tried, and for how long. */
export interface TrialOptions {
  readonly now: () => number;
  /** Gives the milliseconds that may be spent. */
  readonly budget: () => number;
  /** Told when all that the device had to do before has been done. */
  readonly onIdle: () => void;
}

/** How long a run takes. */
export interface TrialResult {
  readonly milliseconds: number;
  /** Whether there was time for one run only, in code that had never run. */
  readonly isCold: boolean;
}

/** Runs a device's program in another session, on copies of what it was given, and times that. */
export async function tryRuns(
  device: EngineDevice,
  session: Session,
  { replay, nodes }: GivenRun,
  { now, budget, onIdle }: TrialOptions,
): Promise<TrialResult> {
  const { program, options } = replay.plan;
  if (!program) throw new Error("tryRuns: a plan without its program; expected one");
  const own = replay.sources.map((source, i) => {
    if (source.kind === "state") return source.state.node;
    return source.kind === "input" ? (nodes[i] as Node) : source.node;
  });
  const values = await valuesOf(device, own); // behind all that was enqueued
  onIdle();
  const plan = session.compile(program, { ...options, repeated: true });
  const storages: Storage[] = [];
  try {
    for (const [i, array] of values.entries()) storages.push(session.upload(array, own[i].dtype));
    await plan.prepare();
    const breather = new Breather();
    const end = now() + budget();
    for (let n = 1; ; n *= 2) {
      const start = now();
      for (let i = 0; i < n; i++) {
        for (const output of plan.run(storages)) session.release(output);
      }
      const took = now() - start;
      const isLast = n >= MOST_RUNS || now() + 2 * took > end;
      // The last ones run in code that has become fast.
      if (isLast) return { milliseconds: took / n, isCold: n === 1 };
      await breather.rest();
    }
  } finally {
    plan.dispose();
    for (const storage of storages) session.release(storage);
  }
}

/** Whether a program is more than the CPU could do in some milliseconds. */
export function isTooMuch({ plan: { program } }: Rerun, milliseconds: number): boolean {
  return !!program && programFlops(program) / MOST_FLOPS > milliseconds;
}

/** What trying a program costs, in milliseconds, not knowing how fast it is. */
export function trialCost({ plan: { program } }: Rerun): number {
  if (!program) return Number.POSITIVE_INFINITY;
  const { steps, sources } = program;
  const bytes = sources.reduce((sum, step) => sum + 4 * sizeOf(steps[step].shape), 0);
  return COST.start + programFlops(program) / COST.flops + bytes / COST.bytes;
}

function programFlops(program: Program): number {
  return total(program.steps.map((_, i) => flopsOf(program, i)));
}
