import { DTYPES, is } from "../../../core/dtype.ts";
import { GradusError } from "../../../core/errors.ts";
import { sizeOf } from "../../../core/shape.ts";
import type { Group } from "../../../engine/fusion.ts";
import { opsOf, stepsOf } from "../../../engine/group-ops.ts";
import type { Lifetime } from "../../../engine/memory-plan.ts";
import type { KernelStats, PlanStats } from "../../../engine/plan.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import { bytesRead, flopsOf, planStats, total } from "../../../engine/stats.ts";
import { wat } from "./wat-on-demand.ts";

/** A compiled plan as it shows itself. */
export interface ShownPlan {
  readonly schedule: KernelSchedule;
  /** For each group what its function is given; null where it has none. */
  readonly codes: readonly (ShownCode | null)[];
  /** Bytes of each slot of its memory, and of what lies there. */
  readonly sizes: readonly number[];
  readonly values: readonly Lifetime[];
  readonly engine: string;
  /** Writes its module. */
  write(): Uint8Array;
}

interface ShownCode {
  readonly steps: readonly number[];
  readonly scratch: number;
  readonly units?: number;
}

/** Counts what a compiled plan's groups do, and names the functions that do it. */
export async function compiledStats(plan: ShownPlan): Promise<PlanStats> {
  const { schedule, codes } = plan;
  const bytesOf = bytesRead(
    schedule,
    (dtype, size) => size * DTYPES[dtype].array.BYTES_PER_ELEMENT,
  );
  const { calledFunctions, functionText } = await wat.get();
  const module = plan.write();
  const calls = read(() => calledFunctions(module));
  const kernels = schedule.groups.map((group, i): KernelStats => {
    const flops = stepsOf(schedule, group).map((step) => flopsOf(schedule.program, step));
    const bytes = [...schedule.reads[i], ...group.outputs].map(bytesOf);
    const code = codes[i];
    const own = calls.get(`p${i}`) ?? calls.get(`t${i}`) ?? 0;
    const form = code
      ? {
          function: `f${own}`,
          scratch: code.scratch,
          units: code.units,
          code: async () =>
            `${pointersText(schedule, group, code)}\n${read(() => functionText(module, own))}`,
        }
      : { plain: reasonOf(schedule, group) };
    return {
      groups: [opsOf(schedule, group)],
      flops: total(flops),
      bytes: total(bytes),
      workgroups: 0,
      bindings: 0,
      ...form,
    };
  });
  return { ...planStats(0, kernels, plan.sizes, plan.values), engine: plan.engine };
}

/** What cannot be read is the fault of who wrote it, but an error of the library. */
function read<T>(reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    throw new GradusError(`explain: ${(error as Error).message}`, { cause: error });
  }
}

/** What the pointers that a function is given point to, as comments. */
function pointersText(
  { program, homes, reads, groups }: KernelSchedule,
  group: Group,
  { steps, scratch, units }: ShownCode,
): string {
  const homeOf = (step: number) => homes.get(step) ?? step;
  const isRead = new Set(reads[groups.indexOf(group)].map(homeOf));
  const isWritten = new Set(group.outputs.map(homeOf));
  const lines = steps.map((step, i) => {
    const { dtype, shape } = program.steps[step];
    const verbs = [
      ...(isRead.has(step) ? ["read"] : []),
      ...(isWritten.has(step) ? ["written"] : []),
    ];
    return `;; $p${i}: ${dtype}[${shape}], ${verbs.join(" and ")}`;
  });
  const own = scratch > 0 ? `${scratch} B of its own` : "unused";
  const { length } = steps;
  const share = `;; $p${length + 1}, $p${length + 2}: from which unit up to which of ${units}`;
  return [...lines, `;; $p${length}: ${own}`, ...(units ? [share] : [])].join("\n");
}

/** Why a group runs in its op's plain form. */
function reasonOf({ program: { steps } }: KernelSchedule, { anchors, outputs }: Group): string {
  const step = steps[anchors[0] ?? outputs[0]];
  const all = [step, ...step.inputs.map((input) => steps[input])];
  const strange = all.find(({ dtype }) => !is(dtype, "gpu"));
  if (strange) return `no code for ${strange.dtype}`;
  if (step.op?.throws) return "checks values";
  if (all.some(({ shape }) => sizeOf(shape) === 0)) return "no elements";
  return "no code";
}
