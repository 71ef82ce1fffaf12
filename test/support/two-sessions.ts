import type { NumericArray } from "../../src/core/dtype.ts";
import { CpuSession } from "../../src/devices/cpu/cpu-device.ts";
import { PlainEngine } from "../../src/devices/cpu/engine.ts";
import { SessionPlan } from "../../src/devices/webgpu/session-plan.ts";
import { Chooser } from "../../src/engine/chooser.ts";
import { EngineDevice } from "../../src/engine/device.ts";
import { Journal } from "../../src/engine/journal.ts";
import type { Plan, PlanOptions } from "../../src/engine/plan.ts";
import type { Program } from "../../src/engine/program.ts";
import type { Download } from "../../src/engine/session.ts";
import type { Life, Storage } from "../../src/graph/device.ts";

/** A clock that only moves when it is told to. */
export class Clock {
  now = 0;
}

/** The CPU as a session whose runs of compiled functions take as long as is said. */
export class TimedSession extends CpuSession {
  /** Runs, plans made and plans disposed of compiled functions. */
  runs = 0;
  plans = 0;
  disposed = 0;
  isDisposed = false;
  /** Which part of the time runs took, at the most. */
  mostShare = 0;
  /** Whether runs take their time and compute nothing. */
  isIdle = false;
  /** Called in the middle of each read, when others may have a turn. */
  onRead: () => void = () => {};

  /** @param life given to what can be lost, as a GPU can. */
  constructor(
    device: EngineDevice,
    readonly clock: Clock,
    /** Milliseconds a run. */
    public cost: number,
    readonly life?: Life,
  ) {
    super(device.counters, new PlainEngine(device.counters));
  }

  override compile(program: Program, options: PlanOptions): Plan {
    const plan = super.compile(program, options);
    if (!options.repeated) return plan;
    this.plans++;
    return {
      stats: () => plan.stats(),
      ready: true,
      prepare: () => plan.prepare(),
      run: (sources: readonly Storage[]) => {
        this.runs++;
        this.clock.now += this.cost;
        this.mostShare = Math.max(this.mostShare, (this.runs * this.cost) / this.clock.now);
        return this.isIdle ? [] : plan.run(sources);
      },
      profile: (sources: readonly Storage[]) => plan.profile(sources),
      dispose: () => {
        this.disposed++;
        plan.dispose();
      },
    };
  }

  override async download(wanted: readonly Download[]): Promise<NumericArray[]> {
    const values = await super.download(wanted);
    this.onRead();
    return values;
  }

  trim(): void {
    this.engine.trim?.();
  }

  override dispose(): void {
    this.isDisposed = true;
    super.dispose();
  }
}

/** A device that begins in a session as of a GPU, and may go to another one as of the CPU. */
export class TwoSessions extends EngineDevice {
  readonly clock = new Clock();
  readonly home: TimedSession;
  readonly other: TimedSession;
  /** Whether the other session is not to be had. */
  isAlone = false;
  override session: TimedSession;
  override journal: Journal = new Journal(this);
  override holders = new Map<Storage, WeakRef<never>>();
  /** How often the other session was asked for. */
  opened = 0;

  /** Takes the milliseconds of a run at home and in the other session. */
  constructor(home: number, other: number) {
    super();
    this.home = new TimedSession(this, this.clock, home, { isOver: false });
    this.other = new TimedSession(this, this.clock, other);
    this.session = this.home;
    this.journal.chooser = new Chooser(this, {
      open: async () => {
        this.opened++;
        if (this.isAlone) throw new Error("no such session");
        return this.other;
      },
      now: () => this.clock.now,
    });
  }

  override guard(most: number): Promise<void> | null {
    return this.journal.open(most);
  }

  protected override compile(program: Program, options: PlanOptions): Plan {
    return new SessionPlan(this, program, options);
  }
}
