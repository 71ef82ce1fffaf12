import type { Counters } from "../../core/counters.ts";
import { convert, DTYPE_NAMES, type DType, is, type NumericArray } from "../../core/dtype.ts";
import { DeviceError } from "../../core/errors.ts";
import { EngineDevice } from "../../engine/device.ts";
import type { Plan, PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import type { Download, Session, Usage } from "../../engine/session.ts";
import type { DeviceLoss, Storage } from "../../graph/device.ts";
import { type ArrayStorage, Arrays, storageOf } from "./arrays.ts";
import { IdlePlans } from "./idle-plans.ts";
import { CpuPlan } from "./plan.ts";

const ALL: ReadonlySet<DType> = new Set(DTYPE_NAMES);

/** Copies values as a dtype's elements; bytes of a bool may be any on the host. */
function elements(values: NumericArray, dtype: DType): NumericArray {
  return is(dtype, "bool") ? values.map((value) => convert(value, dtype)) : values.slice();
}

/** The CPU as a device: runs every program op by op in each op's specification form. */
export class CpuDevice extends EngineDevice {
  session: Session = new CpuSession(this.counters);
}

/** What a device works through on the CPU. */
export class CpuSession implements Session {
  readonly kind = "cpu";
  readonly description = "plain TypeScript";
  readonly dtypes = ALL;
  readonly #arrays: Arrays;
  readonly #idle = new IdlePlans();
  #disposed = false;
  #lose!: (loss: DeviceLoss) => void;
  readonly lost = new Promise<DeviceLoss>((resolve) => {
    this.#lose = resolve;
  });

  constructor(counters: Counters) {
    this.#arrays = new Arrays(counters);
  }

  check(op: string): void {
    if (this.#disposed)
      throw new DeviceError(`${op}: the cpu device was disposed; expected a live one`);
  }

  begin(op: string): void {
    this.check(op);
  }

  dispose(): void {
    this.#disposed = true;
    this.#lose({ reason: "destroyed", message: "disposed" });
    this.#idle.clear();
  }

  /** Makes a plan; one that is going to run again and again has its buffers until it is disposed. */
  compile(program: Program, { repeated }: PlanOptions): Plan {
    const plan = new CpuPlan(program, this.#arrays);
    return repeated ? plan : this.#idle.add(plan);
  }

  /** A run is over when the call returns. */
  room(): undefined {}

  together<T>(fn: () => T): T {
    return fn();
  }

  upload(values: NumericArray, dtype: DType): Storage {
    return storageOf(this.#arrays.add(elements(values, dtype)));
  }

  overwrite(storage: Storage, values: NumericArray, dtype: DType): void {
    (storage as ArrayStorage).data.set(elements(values, dtype));
  }

  async download(wanted: readonly Download[]): Promise<NumericArray[]> {
    return wanted.map(({ storage }) => (storage as ArrayStorage).data.slice());
  }

  peek(storage: Storage): NumericArray {
    return (storage as ArrayStorage).data;
  }

  release(storage: Storage): void {
    this.#arrays.drop((storage as ArrayStorage).data);
  }

  usage(): Usage {
    return { ...this.#arrays.usage, pipelines: 0 };
  }
}
