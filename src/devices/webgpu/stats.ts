import { sizeOf } from "../../core/shape.ts";
import { consumersOf, isPointwise } from "../../engine/fusion.ts";
import { opsOf, stepsOf } from "../../engine/group-ops.ts";
import { planMemory } from "../../engine/memory-plan.ts";
import type { KernelStats, PlanStats } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import { flopsOf, planStats, total } from "../../engine/stats.ts";
import { bytesOf, stepBytes } from "./transfer.ts";
import type { WrittenProgram } from "./write.ts";

/** Counts what a plan's kernels do. */
export function statsOf({
  schedule,
  jobs,
  codes,
  values,
}: Pick<WrittenProgram, "schedule" | "jobs" | "codes" | "values">): PlanStats {
  const bytes = bytesRead(schedule.program);
  const kernels = codes.map(({ bindings, workgroups }, i): KernelStats => {
    const keys = new Set(jobs[i].flatMap(({ reads, writes }) => [...reads, ...writes]));
    return {
      groups: jobs[i].map(({ group }) => opsOf(schedule, group)),
      flops: total(
        jobs[i].flatMap(({ group }) =>
          stepsOf(schedule, group).map((step) => flopsOf(schedule.program, step)),
        ),
      ),
      bytes: total([...keys].map(bytes)),
      workgroups,
      bindings: bindings.length,
    };
  });
  return planStats(kernels.length, kernels, planMemory(values).sizes, values);
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
