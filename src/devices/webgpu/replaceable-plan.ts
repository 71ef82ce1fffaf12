import type { Group } from "../../engine/fusion.ts";
import type { Plan, PlanOptions, PlanStats, Progress } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { Family, KernelChoice, Problem } from "../../forms/kernel.ts";
import type { Storage } from "../../graph/device.ts";
import type { BufferStorage } from "./buffers.ts";
import type { GpuDevice } from "./gpu-device.ts";
import type { GpuPlan, PlanHost } from "./plan.ts";
import { Retries } from "./retries.ts";
import type { GpuSession } from "./session.ts";

/** Makes the plan of a program by what chooses its kernels: the session, when left out. */
export type MakePlan = (host?: PlanHost) => GpuPlan;

/** What a plan was told to compute a problem by. */
export interface Asked {
  readonly family: Family<never>;
  readonly problem: Problem;
  /** What else its kernel computes, and in which program. */
  readonly group: Group;
  readonly program: Program;
  readonly choice: KernelChoice<never>;
}

/** What has the plans of a session that run again and again be others than it makes itself. */
type Improve = (session: GpuSession) => (make: MakePlan) => Plan;

/** How devices improve their plans. */
const ways = new WeakMap<GpuDevice, Improve>();

/** Improves the plans of a device that run again and again. */
export function improvePlans(device: GpuDevice, improve: Improve): void {
  if (ways.has(device)) return;
  ways.set(device, improve);
  goOnImproving(device, device.session as GpuSession);
}

/** Does so in another session of a device for which it was done before. */
export function goOnImproving(device: GpuDevice, session: GpuSession): void {
  const improved = ways.get(device)?.(session);
  if (!improved) return;
  const compile = session.compile.bind(session);
  session.compile = (program, options, own?: PlanHost) => {
    const make = (host = own) => compile(program, options, host) as GpuPlan;
    return options.repeated ? improved(make) : make();
  };
}

/** A session that chooses kernels in another way. */
export function choosing(session: GpuSession, choose: PlanHost["choose"]): PlanHost {
  const { device, traits, guard, log, queue, timeout, pool, pipelines, counters } = session;
  return {
    ...{ device, traits, guard, log, queue, timeout, pool, pipelines, counters, choose },
    begin: (op) => session.begin(op),
    record: (work, options) => session.record(work, options),
  };
}

/**
 * A plan whose place another one of the same program takes between two runs: with other kernels, which
 * give the same bits. While that cannot be compiled, it stays as it is.
 */
export class ReplaceablePlan implements Plan {
  /** What runs. */
  protected plan: GpuPlan;
  /** Settles when what is being compiled runs, or cannot. */
  #settled: Promise<void> | null = null;
  #retries = new Retries();
  #isDisposed = false;

  constructor(
    readonly session: GpuSession,
    first: GpuPlan,
  ) {
    this.plan = first;
  }

  get program(): Program {
    return this.plan.program;
  }

  get options(): PlanOptions {
    return this.plan.options;
  }

  stats(): Promise<PlanStats> {
    return this.plan.stats();
  }

  get ready(): boolean {
    return this.plan.ready;
  }

  prepare(onProgress?: Progress): Promise<void> {
    return this.plan.prepare(onProgress);
  }

  run(sources: readonly Storage[]): BufferStorage[] {
    return this.plan.run(sources as readonly BufferStorage[]);
  }

  profile(sources: readonly Storage[]): Promise<{ outputs: BufferStorage[]; profile: Profile }> {
    return this.plan.profile(sources as readonly BufferStorage[]);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#settled = null; // what is being compiled is for nobody
    this.plan.dispose();
  }

  /**
   * Compiles another plan, behind the work that is under way, and lets it run. Gives the same promise
   * again until that failed for a reason that may pass, and a pause is over, or `allowReplacing` says
   * that there is something new.
   * @param refuse told why it cannot be compiled, unless nobody wants it any more.
   */
  protected replace(
    make: () => GpuPlan,
    onReplaced: () => void,
    refuse: (error: unknown) => void,
  ): Promise<void> {
    if (this.#settled) return this.#settled;
    const retries = this.#retries;
    if (this.#isDisposed || !retries.isDue) return Promise.resolve();
    const begun = retries.now();
    const isWanted = () => this.#settled === settled;
    const settled: Promise<void> = this.#exchange(make, onReplaced, isWanted).catch((error) => {
      if (!isWanted() || this.session.lossOf("compile")) return;
      if (retries.failed(error, begun)) this.#settled = null;
      else refuse(error);
    });
    this.#settled = settled;
    return settled;
  }

  /** Lets `replace` begin anew; what is under way then is for nobody. */
  protected allowReplacing(): void {
    this.#settled = null;
    this.#retries = new Retries();
  }

  async #exchange(
    make: () => GpuPlan,
    onReplaced: () => void,
    isWanted: () => boolean,
  ): Promise<void> {
    let other: GpuPlan | null = null;
    try {
      await this.session.device.queue.onSubmittedWorkDone();
      if (!isWanted()) return;
      other = make();
      await other.prepare();
      if (!isWanted()) return;
      [this.plan, other] = [other, this.plan];
      onReplaced();
    } finally {
      other?.dispose();
    }
  }
}
