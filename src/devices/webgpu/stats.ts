import { getOrInsert } from "../../core/get-or-insert.ts";
import { opsOf, stepsOf } from "../../engine/group-ops.ts";
import { planMemory } from "../../engine/memory-plan.ts";
import type { KernelStats, PlanStats } from "../../engine/plan.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { bytesRead, flopsOf, planStats, total } from "../../engine/stats.ts";
import { type SettledKernel, settle } from "./numbers.ts";
import type { Pass } from "./submit-queue.ts";
import { bytesOf } from "./transfer.ts";
import type { DispatchTurns, WrittenProgram } from "./write.ts";

/** Counts what a plan's kernels do. */
export function statsOf({
  schedule: whole,
  schedules,
  jobs,
  codes,
  values,
  turns,
}: Pick<
  WrittenProgram,
  "schedule" | "schedules" | "jobs" | "codes" | "values" | "turns"
>): PlanStats {
  const bytesIn = new Map<KernelSchedule, (step: number) => number>();
  let settled: readonly SettledKernel[] | null = null;
  const codeOf = async (i: number) => {
    settled ??= settle(codes, new Map());
    return settled[i].code;
  };
  const counts = new Map<number, number>();
  for (const i of dispatchesOf(turns)) counts.set(i, (counts.get(i) ?? 0) + 1);
  const kernels = codes.map(({ bindings, workgroups }, i): KernelStats => {
    const schedule = schedules?.[i] ?? whole;
    const bytes = getOrInsert(bytesIn, schedule, () => bytesRead(schedule, bytesOf));
    const keys = new Set(jobs[i].flatMap(({ reads, writes }) => [...reads, ...writes]));
    return {
      ...(turns && { times: counts.get(i) }),
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
  return planStats(turns?.length ?? kernels.length, kernels, planMemory(values).sizes, values);
}

/** The kernels that are dispatched in turns, in order. */
function dispatchesOf(turns: DispatchTurns | undefined): number[] {
  const found: number[] = [];
  turns?.encode({} as Pass, (_, kernel) => found.push(kernel));
  return found;
}
