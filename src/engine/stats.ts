import type { DType } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { costOf, type Op } from "../graph/op.ts";
import { isPointwise } from "./fusion.ts";
import type { Lifetime } from "./memory-plan.ts";
import type { KernelStats, PlanStats } from "./plan.ts";
import type { Program, Step } from "./program.ts";
import type { KernelSchedule } from "./schedule.ts";

/** Floating-point operations of one step. */
export function flopsOf({ steps }: Program, i: number): number {
  const { op, inputs } = steps[i];
  const types = inputs.map((input) => steps[input]);
  return opFlops(op, types, steps[i]);
}

/** Floating-point operations of an op; none of a source. */
export function opFlops(op: Op | null, inputs: readonly TensorType[], y: TensorType): number {
  return op ? (op.flops?.(inputs, y) ?? costOf(op) * sizeOf(y.shape)) : 0;
}

/**
 * Bytes of a step's values that are read or written: fewer where all readers pick only some, or only
 * some are written.
 * @param bytesOf bytes of so many elements.
 */
export function bytesRead(
  { program: { steps }, scattered }: Pick<KernelSchedule, "program" | "scattered">,
  bytesOf: (dtype: DType, size: number) => number,
): (step: number) => number {
  const valueOf = (step: Step) => steps[step.inputs[step.op?.scatter as number]];
  const written = new Map([...scattered].map((i) => [steps[i], valueOf(steps[i])]));
  const consumers: Step[][] = steps.map(() => []);
  for (const step of steps) for (const input of new Set(step.inputs)) consumers[input].push(step);
  return (i) => {
    const { dtype, shape } = written.get(steps[i]) ?? steps[i];
    const all = bytesOf(dtype, sizeOf(shape));
    const readers = consumers[i];
    if (readers.length === 0 || !readers.every(isPointwise)) return all;
    const sizes = readers.map((reader) => sizeOf((written.get(reader) ?? reader).shape));
    return Math.min(all, total(sizes.map((size) => bytesOf(dtype, size))));
  };
}

/**
 * What a plan does in all.
 * @param sizes bytes of each slot of its memory.
 * @param values what lies there, and when.
 */
export function planStats(
  dispatches: number,
  kernels: readonly KernelStats[],
  sizes: readonly number[],
  values: readonly Lifetime[],
): PlanStats {
  return {
    dispatches,
    flops: total(kernels.map(({ flops, times = 1 }) => times * flops)),
    bytes: total(kernels.map(({ bytes, times = 1 }) => times * bytes)),
    peakBytes: total(sizes),
    lowerBoundBytes: bytesAtOnce(values),
    kernels,
  };
}

/** Bytes of the values that are in memory at once, at the most: no plan needs less. */
export function bytesAtOnce(values: readonly Lifetime[]): number {
  const end = values.reduce((most, { first }) => Math.max(most, first), 0) + 1;
  const bytesAt = new Float64Array(end);
  for (const { first, last, bytes } of values) {
    for (let time = first; time <= last && time < end; time++) bytesAt[time] += bytes;
  }
  return bytesAt.reduce((a, b) => Math.max(a, b), 0);
}

/** Σ of values. */
export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
