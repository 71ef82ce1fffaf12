import type { DType, NumericArray } from "../../src/core/dtype.ts";
import { DeviceError } from "../../src/core/errors.ts";
import type { ArrayStorage } from "../../src/devices/cpu/arrays.ts";
import { CompiledEngine } from "../../src/devices/cpu/compiled/compiled-engine.ts";
import { CpuSession } from "../../src/devices/cpu/cpu-device.ts";
import { SessionPlan } from "../../src/devices/webgpu/session-plan.ts";
import { EngineDevice } from "../../src/engine/device.ts";
import { Journal } from "../../src/engine/journal.ts";
import type { Plan, PlanOptions } from "../../src/engine/plan.ts";
import type { Program } from "../../src/engine/program.ts";
import { recover } from "../../src/engine/recovery.ts";
import type { Download } from "../../src/engine/session.ts";
import type { DeviceLoss, Storage } from "../../src/graph/device.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The CPU as a session that can be lost as a GPU is: silently, with all values, and told of later. */
class FragileSession extends CpuSession {
  readonly life = { isOver: false };
  readonly #held = new Set<ArrayStorage>();
  #tell!: (loss: DeviceLoss) => void;
  override readonly lost = new Promise<DeviceLoss>((resolve) => {
    this.#tell = resolve;
  });
  onLost: (loss: DeviceLoss) => void = () => {};
  isDead = false;
  /** Told of each plan that runs and each read. */
  onCall: (what: "run" | "read" | "prepare") => void = () => {};

  /** Loses all values now, and says so after some milliseconds. */
  async die(ms: number): Promise<void> {
    this.isDead = true;
    for (const { data } of this.#held) data.fill(1);
    await (ms > 0 ? pause(ms) : null); // never while a call is under way
    const loss: DeviceLoss = { reason: "unknown", message: "the test took it away" };
    this.onLost(loss);
    this.#tell(loss);
  }

  #alive(storage: Storage): Storage {
    this.#held.add(storage as ArrayStorage);
    if (this.isDead) (storage as ArrayStorage).data.fill(1);
    return Object.assign(storage, { life: this.life });
  }

  override check(op: string): void {
    if (this.life.isOver) throw new DeviceError(`${op}: lost; expected a live device`);
    super.check(op);
  }

  override upload(values: NumericArray, dtype: DType): Storage {
    return this.#alive(super.upload(values, dtype));
  }

  override release(storage: Storage): void {
    this.#held.delete(storage as ArrayStorage); // another's from now on
    super.release(storage);
  }

  override overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    if (!this.isDead) super.overwrite(storage, values, dtype);
  }

  override compile(program: Program, options: PlanOptions): Plan {
    const plan = super.compile(program, options);
    let isReady = false;
    return {
      stats: () => plan.stats(),
      get ready() {
        return isReady;
      },
      prepare: async () => {
        this.onCall("prepare");
        await pause(0);
        if (this.isDead) throw new DeviceError("prepare: lost; expected a live device");
        isReady = true;
      },
      run: (sources) => {
        this.onCall("run");
        if (sources.some((storage) => storage.life !== this.life)) throw new Error("of another");
        return plan.run(sources).map((storage) => this.#alive(storage));
      },
      profile: async (sources) => plan.profile(sources),
      dispose: () => plan.dispose(),
    };
  }

  override async download(wanted: readonly Download[]): Promise<NumericArray[]> {
    const values = wanted.map(({ storage }) => (storage as ArrayStorage).data.slice());
    this.onCall("read");
    await pause(0);
    if (this.isDead) throw new DeviceError("read: lost; expected a live device");
    return values;
  }
}

/** A device for tests that can be lost, in Node too. */
export class FragileDevice extends EngineDevice {
  override journal: Journal = new Journal(this);
  override session: CpuSession = new FragileSession(
    this.counters,
    new CompiledEngine(this.counters),
  );
  onCall: FragileSession["onCall"] = () => {};
  /** How often it was lost in a row before, at each loss. */
  readonly inARow: number[] = [];
  /** Whether what follows a loss can be lost no more. */
  isLastLoss = false;
  /** What is waited for before there is another session. */
  opening: () => Promise<unknown> = () => pause(1);

  constructor() {
    super();
    this.#listen();
    this.remakeWhenLost();
  }

  /** Takes the session away, which becomes known after some milliseconds. */
  lose(ms = 0): Promise<void> {
    return (this.session as FragileSession).die(ms);
  }

  override guard(most: number): Promise<void> | null {
    return this.journal.open(most);
  }

  protected override remake(message: string): Promise<() => void> {
    return recover(this, message, async (inARow) => {
      this.inARow.push(inARow);
      await this.opening();
      if (this.isLastLoss) return new CpuSession(this.counters, new CompiledEngine(this.counters));
      const session = new FragileSession(this.counters, new CompiledEngine(this.counters));
      session.onCall = (what) => this.onCall(what);
      return session;
    });
  }

  protected override compile(program: Program, options: PlanOptions): Plan {
    return new SessionPlan(this, program, options);
  }

  #listen(): void {
    (this.session as FragileSession).onCall = (what) => this.onCall(what);
  }
}
