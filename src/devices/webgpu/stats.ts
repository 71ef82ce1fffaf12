import { sizeOf } from "../../core/shape.ts";
import { consumersOf, isPointwise } from "../../engine/fusion.ts";
import type { MemoryPlan } from "../../engine/memory-plan.ts";
import type { KernelStats, PlanStats } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { flopsOf, opsOf, planStats, stepsOf, total } from "../../engine/stats.ts";
import type { KernelCode } from "./codegen.ts";
import type { Job } from "./jobs.ts";
import { bytesOf } from "./transfer.ts";

/** Counts what a plan's kernels do. */
export function statsOf(
  schedule: KernelSchedule,
  dispatches: readonly (readonly Job[])[],
  codes: readonly KernelCode[],
  memory: MemoryPlan,
): PlanStats {
  const bytes = bytesRead(schedule.program);
  const kernels = dispatches.map((jobs, i): KernelStats => {
    return {
      groups: jobs.map(({ group }) => opsOf(schedule, group)),
      flops: total(
        jobs.flatMap(({ group }) =>
          stepsOf(schedule, group).map((step) => flopsOf(schedule.program, step)),
        ),
      ),
      bytes: total(codes[i].bindings.map(({ key }) => bytes(key))),
      workgroups: codes[i].workgroups,
      bindings: codes[i].bindings.length,
    };
  });
  return planStats(kernels.length, kernels, memory);
}

/** Bytes of a step's values in memory. */
export function stepBytes({ steps }: Program, step: number): number {
  const { dtype, shape } = steps[step];
  return bytesOf(dtype, sizeOf(shape));
}

/** Bytes of a step's values that are read or written: fewer where all readers pick only some. */
function bytesRead(program: Program): (step: number) => number {
  const consumers = consumersOf(program.steps);
  return (step) => {
    const all = stepBytes(program, step);
    const readers = consumers[step].map((i) => program.steps[i]);
    if (readers.length === 0 || !readers.every(isPointwise)) return all;
    const { dtype } = program.steps[step];
    return Math.min(all, total(readers.map(({ shape }) => bytesOf(dtype, sizeOf(shape)))));
  };
}
