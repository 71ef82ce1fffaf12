import type { Counters } from "../../core/counters.ts";
import { DTYPE_NAMES, type DType, type NumericArray } from "../../core/dtype.ts";
import { DeviceError } from "../../core/errors.ts";
import { EngineDevice } from "../../engine/device.ts";
import type { Plan, PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import type { Download, Session, Usage } from "../../engine/session.ts";
import type { DeviceLoss, Storage } from "../../graph/device.ts";
import { type ArrayStorage, copyElements } from "./arrays.ts";
import { type CpuEngine, PlainEngine } from "./engine.ts";
import { IdlePlans } from "./idle-plans.ts";
import { planOn } from "./looped-plan.ts";

const ALL: ReadonlySet<DType> = new Set(DTYPE_NAMES);

/** Makes what computes on the CPU, which counts what it makes. */
export type MakeEngine = (counters: Counters) => CpuEngine;

/** The CPU as a device. */
export class CpuDevice extends EngineDevice {
  readonly session: Session;

  /** @param engine makes what computes; each op's specification form when left out. */
  constructor(engine?: MakeEngine) {
    super();
    this.session = new CpuSession(this.counters, engine?.(this.counters));
  }
}

/** What a device works through on the CPU. */
export class CpuSession implements Session {
  readonly kind = "cpu";
  readonly dtypes = ALL;
  readonly #idle = new IdlePlans();
  #disposed = false;
  #lose!: (loss: DeviceLoss) => void;
  readonly lost = new Promise<DeviceLoss>((resolve) => {
    this.#lose = resolve;
  });

  constructor(
    counters: Counters,
    readonly engine: CpuEngine = new PlainEngine(counters),
  ) {
    engine.trim = () => {
      engine.underway?.finish();
      this.#idle.clear();
    };
  }

  get description(): string {
    return this.engine.description;
  }

  check(op: string): void {
    if (this.#disposed)
      throw new DeviceError(`${op}: the cpu device was disposed; expected a live one`);
  }

  begin(op: string): void {
    this.check(op);
  }

  dispose(): void {
    this.engine.underway?.finish();
    this.#disposed = true;
    this.#lose({ reason: "destroyed", message: "disposed" });
    this.#idle.clear();
    this.engine.dispose?.();
  }

  /** Makes a plan; one that is going to run again and again has its buffers until it is disposed. */
  compile(program: Program, { repeated }: PlanOptions): Plan {
    const plan = planOn(this.engine, program);
    return repeated ? plan : this.#idle.add(plan);
  }

  /** Waits for a run that takes long; others are over when the call returns. */
  room(): Promise<void> | undefined {
    return this.engine.underway?.room;
  }

  together<T>(fn: () => T): T {
    return fn();
  }

  upload(values: NumericArray, dtype: DType): Storage {
    return this.engine.store(values, dtype);
  }

  overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    this.engine.underway?.finish();
    copyElements((storage as ArrayStorage).data, values, dtype);
  }

  async download(wanted: readonly Download[]): Promise<NumericArray[]> {
    const copy = () => wanted.map(({ storage }) => (storage as ArrayStorage).data.slice());
    const { underway } = this.engine;
    if (!underway?.room) return copy();
    return new Promise((resolve, reject) => {
      underway.afterwards(() => {
        const failed = wanted.find(({ storage }) => storage.failure);
        if (failed) reject(failed.storage.failure);
        else resolve(copy());
      });
    });
  }

  peek(storage: Storage): NumericArray {
    this.engine.underway?.finish();
    return (storage as ArrayStorage).data;
  }

  release(storage: Storage): void {
    const { engine } = this;
    const { underway } = engine;
    if (underway?.room) underway.afterwards(() => engine.release(storage as ArrayStorage));
    else engine.release(storage as ArrayStorage);
  }

  usage(): Usage {
    this.engine.underway?.finish();
    const usage = this.#disposed ? { buffers: 0, bytes: 0 } : this.engine.usage;
    return { ...usage, pipelines: 0 };
  }
}
