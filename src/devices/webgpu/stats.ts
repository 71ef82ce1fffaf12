import { opsOf, stepsOf } from "../../engine/group-ops.ts";
import { planMemory } from "../../engine/memory-plan.ts";
import type { KernelStats, PlanStats } from "../../engine/plan.ts";
import { bytesRead, flopsOf, planStats, total } from "../../engine/stats.ts";
import { type SettledKernel, settle } from "./numbers.ts";
import { bytesOf } from "./transfer.ts";
import type { WrittenProgram } from "./write.ts";

/** Counts what a plan's kernels do. */
export function statsOf({
  schedule,
  jobs,
  codes,
  values,
}: Pick<WrittenProgram, "schedule" | "jobs" | "codes" | "values">): PlanStats {
  const bytes = bytesRead(schedule.program, bytesOf);
  let settled: readonly SettledKernel[] | null = null;
  const codeOf = async (i: number) => {
    settled ??= settle(codes, new Map());
    return settled[i].code;
  };
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
      code: () => codeOf(i),
    };
  });
  return planStats(kernels.length, kernels, planMemory(values).sizes, values);
}
