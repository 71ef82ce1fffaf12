import type { Plan, PlanOptions, PlanStats, Progress } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { Storage } from "../../graph/device.ts";
import { plainly } from "../../kernels/choose-plain.ts";
import type { BufferStorage } from "./buffers.ts";
import type { GpuDevice } from "./gpu-device.ts";
import type { GpuPlan, PlanHost } from "./plan.ts";
import type { GpuSession } from "./session.ts";

/** Makes the plan of a program by what chooses its kernels: the session, when left out. */
type MakePlan = (host?: PlanHost) => GpuPlan;

/** Devices whose plans begin with plain kernels. */
const devices = new WeakSet<GpuDevice>();

/**
 * Lets the plans of a device that run again and again begin with plain kernels, which are soon
 * compiled, until the others are.
 */
export function beginPlain(device: GpuDevice): void {
  if (devices.has(device)) return;
  devices.add(device);
  goOnPlain(device, device.session as GpuSession);
}

/** Does so in another session of a device for which it was done before. */
export function goOnPlain(device: GpuDevice, session: GpuSession): void {
  if (!devices.has(device)) return;
  const compile = session.compile.bind(session);
  session.compile = (program, options) => {
    const make = (host?: PlanHost) => compile(program, options, host) as GpuPlan;
    return options.repeated ? new PlanInTiers(session, make) : make();
  };
}

/** Sessions that have said that compiling failed. */
const warned = new WeakSet<GpuSession>();

/**
 * A plan whose first runs are of plain kernels. The others are compiled when the first run has ended,
 * and take the place of these between two runs; they give the same bits. Where they cannot be
 * compiled, the plain ones stay.
 */
class PlanInTiers implements Plan {
  /** What runs. */
  #plan: GpuPlan;
  /** Whether that has kernels in the place of better ones. */
  #isPlain = false;
  /** Settles when the better ones run, or cannot. */
  #settled: Promise<void> | null = null;

  constructor(
    readonly session: GpuSession,
    readonly make: MakePlan,
  ) {
    const onPlain = () => {
      this.#isPlain = true;
    };
    const { device, traits, guard, log, queue, timeout, pool, pipelines, counters } = session;
    this.#plan = make({
      ...{ device, traits, guard, log, queue, timeout, pool, pipelines, counters },
      choose: plainly(session.choose, onPlain),
      begin: (op) => session.begin(op),
      record: (work, options) => session.record(work, options),
    });
  }

  get program(): Program {
    return this.#plan.program;
  }

  get options(): PlanOptions {
    return this.#plan.options;
  }

  /** Counts what the better kernels do. */
  async stats(): Promise<PlanStats> {
    if (!this.#isPlain) return this.#plan.stats();
    const better = this.make();
    try {
      return await better.stats();
    } finally {
      better.dispose();
    }
  }

  get ready(): boolean {
    return this.#plan.ready;
  }

  prepare(onProgress?: Progress): Promise<void> {
    return this.#plan.prepare(onProgress);
  }

  run(sources: readonly Storage[]): BufferStorage[] {
    const outputs = this.#plan.run(sources as readonly BufferStorage[]);
    if (this.#isPlain) this.#begin();
    return outputs;
  }

  /** Takes the times of the better kernels. */
  async profile(
    sources: readonly Storage[],
  ): Promise<{ outputs: BufferStorage[]; profile: Profile }> {
    if (this.#isPlain) await this.#begin();
    return this.#plan.profile(sources as readonly BufferStorage[]);
  }

  dispose(): void {
    this.#settled = null; // what is being compiled is for nobody
    this.#plan.dispose();
  }

  /** Begins to make the plan better, unless that is under way or has failed. */
  #begin(): Promise<void> {
    this.#settled ??= this.#improve(() => this.#settled === settled);
    const settled = this.#settled;
    return settled;
  }

  /** Compiles the better kernels, behind the work that is under way, and lets them run. */
  async #improve(isWanted: () => boolean): Promise<void> {
    const { session } = this;
    let other: GpuPlan | null = null;
    try {
      await session.device.queue.onSubmittedWorkDone();
      if (!isWanted()) return;
      other = this.make();
      await other.prepare();
      if (!isWanted()) return;
      [this.#plan, other] = [other, this.#plan];
      this.#isPlain = false;
    } catch (error) {
      if (!isWanted() || session.lossOf("compile") || warned.has(session)) return;
      warned.add(session);
      console.warn(`gradus: kernels stay as plain as they were in the first run, for ${error}`);
    } finally {
      other?.dispose();
    }
  }
}
