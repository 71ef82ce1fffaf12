import { allocate, type DType, type NumericArray } from "../../core/dtype.ts";
import { DeviceError, GradusError } from "../../core/errors.ts";
import { sizeOf } from "../../core/shape.ts";
import { contiguous, copyStrided, isContiguous, type Strided } from "../../core/strided.ts";
import { Device } from "../../engine/device.ts";
import type { Plan, PlanStats } from "../../engine/plan.ts";
import type { Program, Step } from "../../engine/program.ts";
import { flopsOf } from "../../engine/stats.ts";
import type { Storage } from "../../graph/backend.ts";

/** A tensor's values in a typed array, row-major. */
interface ArrayStorage extends Storage {
  readonly data: NumericArray;
}

const DTYPES: ReadonlySet<DType> = new Set(["f32", "i32", "u32", "bool", "f64", "u8"]);

/** The CPU as a device: runs every program op by op in each op's specification form. */
export class CpuDevice extends Device {
  readonly kind = "cpu";
  readonly description = "plain TypeScript";
  readonly dtypes = DTYPES;
  #arrays = 0;
  #bytes = 0;
  #disposed = false;

  check(op: string): void {
    if (this.#disposed)
      throw new DeviceError(`${op}: the cpu device was disposed; expected a live one`);
  }

  /** Nothing goes wrong behind the caller's back here. */
  protected surface(): void {}

  dispose(): void {
    this.#disposed = true;
  }

  protected compile(program: Program): Plan {
    return {
      stats: statsOf(program),
      prepare: async () => {},
      run: (sources) => this.#run(program, sources as readonly ArrayStorage[]),
      dispose: () => {},
      profile: async (sources) => ({
        outputs: this.#run(program, sources as readonly ArrayStorage[]),
        profile: { clock: "host", kernels: [] },
      }),
    };
  }

  room(): undefined {}

  #run(program: Program, sources: readonly ArrayStorage[]): ArrayStorage[] {
    const values: Strided[] = [];
    program.sources.forEach((step, i) => {
      values[step] = contiguous(sources[i].data, program.steps[step].shape);
    });
    program.steps.forEach((step, i) => {
      if (step.op) {
        const inputs = step.inputs.map((input) => values[input]);
        values[i] = compute(step, inputs);
      }
    });
    const shared = new Set(sources.map(({ data }) => data));
    const fresh = program.updates.map(
      ({ value }) => compact(values[value], program.steps[value].dtype).data,
    );
    program.updates.forEach(({ source }, i) => {
      sources[program.sources.indexOf(source)].data.set(fresh[i]);
    });
    return program.outputs.map((i) => {
      const data = ownData(values[i], program.steps[i].dtype, shared);
      shared.add(data);
      return this.#hold(data);
    });
  }

  protected upload(values: NumericArray): Storage {
    return this.#hold(values.slice());
  }

  protected overwrite(storage: Storage, values: NumericArray): void {
    (storage as ArrayStorage).data.set(values);
  }

  #hold(data: NumericArray): ArrayStorage {
    this.#arrays++;
    this.#bytes += data.byteLength;
    return { bytes: data.byteLength, data };
  }

  protected async download(storage: Storage): Promise<NumericArray> {
    return (storage as ArrayStorage).data.slice();
  }

  protected free(storage: Storage): void {
    this.#arrays--;
    this.#bytes -= storage.bytes;
  }

  protected usage(): { buffers: number; bytes: number } {
    return { buffers: this.#arrays, bytes: this.#bytes };
  }
}

/** Computes one step; ops that only move elements give a view where they can. */
function compute(step: Step, inputs: readonly Strided[]): Strided {
  const { op, attributes, shape, dtype } = step;
  if (op?.view) {
    const view = op.view(inputs[0], attributes, step);
    if (view) return view;
    const copied = op.view(compact(inputs[0], dtype), attributes, step);
    if (copied) return copied;
  }
  if (!op?.cpu) throw new GradusError(`${op?.name}: has no CPU form; expected one`);
  const y = contiguous(allocate(dtype, sizeOf(shape)), shape);
  op.cpu(y, inputs, attributes);
  return y;
}

function compact(x: Strided, dtype: DType): Strided {
  const data = allocate(dtype, sizeOf(x.shape));
  copyStrided(x, data);
  return contiguous(data, x.shape);
}

/** The values row-major in an array that nobody else holds. */
function ownData(x: Strided, dtype: DType, shared: ReadonlySet<NumericArray>): NumericArray {
  const whole = isContiguous(x) && x.offset === 0 && x.data.length === sizeOf(x.shape);
  return whole && !shared.has(x.data) ? x.data : compact(x, dtype).data;
}

function statsOf(program: Program): PlanStats {
  const kernels = program.steps.flatMap(({ op }, i) =>
    op
      ? [{ groups: [[op.name]], flops: flopsOf(program, i), bytes: 0, workgroups: 0, bindings: 0 }]
      : [],
  );
  const flops = kernels.reduce((sum, kernel) => sum + kernel.flops, 0);
  return { dispatches: 0, flops, bytes: 0, peakBytes: 0, lowerBoundBytes: 0, kernels };
}
