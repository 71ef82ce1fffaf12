import { postorder } from "../core/postorder.ts";
import { sizeOf } from "../core/shape.ts";
import { costOf } from "../graph/op.ts";
import type { Group } from "./fusion.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import type { KernelStats, PlanStats } from "./plan.ts";
import type { Program } from "./program.ts";
import type { KernelSchedule } from "./schedule.ts";

/** Floating-point operations of one step. */
export function flopsOf(program: Program, i: number): number {
  const step = program.steps[i];
  if (!step.op) return 0;
  const inputs = step.inputs.map((input) => program.steps[input]);
  return step.op.flops?.(inputs, step) ?? costOf(step.op) * sizeOf(step.shape);
}

/** The steps that a group computes, inputs first. */
export function stepsOf(schedule: KernelSchedule, { outputs, anchors }: Group): number[] {
  const { steps } = schedule.program;
  const isOwn = (i: number) => outputs.includes(i) || !schedule.stored.has(i);
  const isStep = (i: number) => steps[i].op && anchors.indexOf(i) <= 0; // several are one op's
  return [...postorder(outputs, (i) => steps[i].inputs.filter(isOwn))].filter(isStep);
}

/** The names of the ops that a group computes, in their order; only of what costs something. */
export function opsOf(schedule: KernelSchedule, group: Group): string[] {
  const { steps } = schedule.program;
  const all = stepsOf(schedule, group);
  const costly = all.filter((i) => steps[i].op?.cost !== 0);
  return (costly.length > 0 ? costly : all).map((i) => steps[i].op?.name as string);
}

/** What a plan does in all, from what its kernels do. */
export function planStats(
  dispatches: number,
  kernels: readonly KernelStats[],
  { sizes, lowerBound }: Pick<MemoryPlan, "sizes" | "lowerBound">,
): PlanStats {
  return {
    dispatches,
    flops: total(kernels.map(({ flops }) => flops)),
    bytes: total(kernels.map(({ bytes }) => bytes)),
    peakBytes: total(sizes),
    lowerBoundBytes: lowerBound,
    kernels,
  };
}

/** Σ of values. */
export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
