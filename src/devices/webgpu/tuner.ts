import { sizeOf } from "../../core/shape.ts";
import type { Program, Step } from "../../engine/program.ts";
import { total } from "../../engine/stats.ts";
import type { Choose, Family, KernelChoice, Problem } from "../../forms/kernel.ts";
import { defineOp } from "../../graph/op.ts";
import { choiceName, choicesFor, problemName } from "../../kernels/candidates.ts";
import { type Bench, fastestOf, ShareOfRuns, UNBOUNDED } from "../../kernels/tuning.ts";
import type { BufferStorage } from "./buffers.ts";
import type { GpuPlan, PlanHost } from "./plan.ts";
import { profileKernels } from "./profiler.ts";
import type { Asked, choosing } from "./replaceable-plan.ts";
import type { GpuSession } from "./session.ts";
import { bytesOf } from "./transfer.ts";
import { machineOf, type Tunings } from "./tunings.ts";

/** Bytes that a problem's tensors may take while it is timed. */
const MOST_BYTES = 2 ** 28;

type Choosing = typeof choosing;

/** Times what may compute the problems of a session's plans, and chooses by that. */
export class Tuner {
  readonly machine: string;
  readonly #rule: Choose;
  readonly #budget = new ShareOfRuns(() => performance.now());
  /** What is timed, or was, by the names of problems. */
  readonly #jobs = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();
  #left = 0;
  #hasWarned = false;

  constructor(
    readonly session: GpuSession,
    readonly tunings: Tunings,
    /** Makes a session choose in another way. */
    readonly choosing: Choosing,
    readonly isNow: boolean,
  ) {
    this.machine = machineOf(session.description);
    this.#rule = session.choose;
    session.choose = this.choose;
  }

  /** What may compute a problem to the same bits, first what the rule takes. */
  #choices<P extends Problem>(family: Family<P>, problem: P): KernelChoice<P>[] {
    const options = { choose: this.#rule, reproducible: true };
    return choicesFor(family, problem, this.session.traits, options);
  }

  /** Chooses what was the fastest, if that is known; else by rule. */
  readonly choose: Choose = <P extends Problem>(family: Family<P>, problem: P): KernelChoice<P> => {
    const name = this.tunings.get(this.machine, problemName(family, problem));
    const isIt = (choice: KernelChoice<P>) => choiceName(choice) === name;
    const found = name && this.#choices(family, problem).find(isIt);
    return found || this.#rule(family, problem);
  };

  /** Rises with what is known that plans may profit from. */
  get known(): number {
    return this.tunings.changes;
  }

  /** Notes that a plan runs. */
  ran(): void {
    this.#budget.ran();
  }

  /** Times what was asked and is not known yet; settles when that is done. */
  async tune(asked: readonly Asked[]): Promise<void> {
    const jobs = asked.map(({ family, problem }) => {
      const name = problemName(family, problem as never);
      const job = this.#jobs.get(name) ?? this.#begin(name, family, problem as never);
      this.#jobs.set(name, job);
      return job;
    });
    await Promise.all(jobs);
  }

  #begin<P extends Problem>(name: string, family: Family<P>, problem: P): Promise<void> {
    const { tunings, machine } = this;
    const choices = this.#choices(family, problem);
    const isKnown = choices.map(choiceName).includes(tunings.get(machine, name) as string);
    if (isKnown || choices.length === 1 || !isAlone(choices[0], problem)) return Promise.resolve();
    this.#left++;
    this.#last = this.#last.then(() => this.#measure(name, family, problem, choices));
    return this.#last;
  }

  async #measure<P extends Problem>(
    name: string,
    family: Family<P>,
    problem: P,
    choices: readonly KernelChoice<P>[],
  ): Promise<void> {
    const { session, tunings, machine } = this;
    let isWhole = true;
    const onFailure = (error: unknown) => {
      isWhole = !session.lossOf("tune");
      if (isWhole) this.#warn(error);
    };
    const open = (choice: KernelChoice<P>) => {
      const host = this.choosing(session, (() => choice) as unknown as Choose);
      return openBench(session, host, programOf(family, problem, choice));
    };
    const allowance = this.isNow ? UNBOUNDED : this.#budget;
    const best = await fastestOf(choices, open, allowance, onFailure);
    this.#left--;
    if (!isWhole) return;
    tunings.set(machine, name, choiceName(best));
    if (this.#left === 0) await tunings.write().catch(() => {}); // it is found again
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    console.warn(`gradus: kernels are tuned without one that failed, for ${error}`);
  }
}

/** Whether a kernel can be timed without the ops that it is for: none of its functions are theirs. */
function isAlone<P extends Problem>({ kernel, candidate }: KernelChoice<P>, problem: P): boolean {
  const { loads, results } = kernel.layout(problem, candidate);
  const bytes = [...loads, ...results].map(({ extents, dtype = problem.dtype }) =>
    bytesOf(dtype, sizeOf(extents)),
  );
  return !kernel.functions && loads.length > 0 && total(bytes) <= MOST_BYTES;
}

/** A program of one kernel. */
function programOf<P extends Problem>(
  family: Family<P>,
  problem: P,
  { kernel, candidate }: KernelChoice<P>,
): Program {
  const { loads, results } = kernel.layout(problem, candidate);
  const types = [...loads, ...results].map(({ extents, dtype = problem.dtype }) => {
    return { shape: extents, dtype };
  });
  const y = types.slice(loads.length);
  const op = defineOp<Record<string, never>>({
    name: "timed",
    infer: () => y,
    form: { kind: "kernel", batching: null, family: family as never, problem: () => problem },
    vjp: null,
  });
  const sources = loads.map((_, i) => i);
  const steps = types.map((type, i): Step => {
    const isSource = i < loads.length;
    const made = { op, inputs: sources, result: i - loads.length };
    return { ...(isSource ? { op: null, inputs: [] } : made), attributes: {}, ...type } as Step;
  });
  return { steps, sources, outputs: y.map((_, i) => loads.length + i), updates: [] };
}

/** Compiles a program by what chooses, without holding up the page. */
async function openBench(session: GpuSession, host: PlanHost, program: Program): Promise<Bench> {
  const plan = session.compile(program, { repeated: false }, host) as GpuPlan;
  const close = () => {
    if (!session.life.isOver) plan.dispose();
  };
  try {
    session.check("tune");
    await plan.prepare();
  } catch (error) {
    close();
    throw error;
  }
  return { close, time: (runs, times) => timeRuns(session, plan, runs, times) };
}

async function timeRuns(
  session: GpuSession,
  plan: GpuPlan,
  runs: number,
  times: number,
): Promise<readonly number[]> {
  const { pool, guard } = session;
  const { program, outputBytes } = plan;
  const held: BufferStorage[] = [];
  session.begin("tune");
  try {
    const sizes = program.sources.map((source) => {
      const { dtype, shape } = program.steps[source];
      return bytesOf(dtype, sizeOf(shape));
    });
    held.push(...pool.acquireAll([...sizes, ...outputBytes]));
    const run = plan.bound(held.slice(0, sizes.length), held.slice(sizes.length));
    // What is wrong with these is no failure of a step's.
    const failures = await Promise.all(guard.take());
    const failure = failures.find((found) => found);
    if (failure) throw failure;
    const kernels = Array.from({ length: times }, () => ({
      name: run.label,
      encode: (pass: Parameters<typeof run.encode>[0]) => {
        for (let i = 0; i < runs; i++) run.encode(pass);
      },
    }));
    const { kernels: timed } = await profileKernels(session, run, kernels);
    return timed.map(({ duration }) => duration / 1000);
  } finally {
    if (!session.life.isOver) for (const storage of held) pool.release(storage);
  }
}
