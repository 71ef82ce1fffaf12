import { DTYPES } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Group } from "../../engine/fusion.ts";
import { resultTypes } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { opsOf } from "../../engine/stats.ts";
import type { Choose, Stage } from "../../forms/kernel.ts";
import { elementwise } from "../../kernels/elementwise.ts";
import { nameOf, stagesOf } from "../../kernels/stage.ts";

/** One stage of a group: what can share a dispatch with others. */
export interface Job {
  /** Equal for jobs whose code may be equal. */
  readonly kind: string;
  readonly group: Group;
  readonly stage: Stage;
  /** Whether the stage stores the group's results; else it writes scratch memory. */
  readonly last: boolean;
  /** The scratch memory that it reads or writes, as keys below zero. */
  readonly scratchIn: number | null;
  readonly scratchOut: number | null;
  /** Keys of the memory that it reads and writes: steps, or scratch. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Jobs that must have run in an earlier dispatch. */
  readonly after: readonly Job[];
}

/** Lists the stages of a schedule's groups that have something to compute. */
export function jobsOf(schedule: KernelSchedule, choose: Choose): Job[] {
  const jobs: Job[] = [];
  /** The last job of each group. */
  const final = new Map<number, Job[]>();
  schedule.groups.forEach((group, g) => {
    const before = [...new Set(schedule.after[g].flatMap((other) => final.get(other) ?? []))];
    final.set(g, addStages(jobs, schedule, g, group, choose, before));
  });
  return jobs;
}

/** Adds a group's stages; gives what must have run before its results are there. */
function addStages(
  jobs: Job[],
  schedule: KernelSchedule,
  g: number,
  group: Group,
  choose: Choose,
  before: readonly Job[],
): Job[] {
  if (sizeOf(schedule.domain(group)) === 0) return [...before];
  const home = (step: number) => schedule.homes.get(step) ?? step;
  let previous: Job | null = null;
  const stages = stagesOfGroup(schedule, group, choose);
  const ops = opsOf(schedule, group);
  stages.forEach((stage, i) => {
    const last = i === stages.length - 1;
    const scratchIn: number | null = previous?.scratchOut ?? null;
    const scratchOut = last ? null : -1 - jobs.length;
    const job: Job = {
      kind: [nameOf(stage.kernel), ...Object.values(stage.constants), ...ops].join(),
      group,
      stage,
      last,
      scratchIn,
      scratchOut,
      // Which stage reads what is settled when its code is written; here every one may read all.
      reads: [...schedule.reads[g].map(home), ...(scratchIn === null ? [] : [scratchIn])],
      writes: last ? group.outputs.map(home) : [scratchOut as number],
      after: previous ? [...before, previous] : before,
    };
    jobs.push(job);
    previous = job;
  });
  return previous ? [previous] : [...before];
}

function stagesOfGroup(schedule: KernelSchedule, group: Group, choose: Choose): readonly Stage[] {
  const { steps } = schedule.program;
  const [anchor] = group.anchors;
  const form = steps[anchor]?.op?.form;
  if (form?.kind === "kernel") {
    const { attributes, inputs: numbers } = steps[anchor];
    const inputs = numbers.map((input) => steps[input]);
    const [y] = resultTypes(schedule.program, steps[anchor]);
    const problem = form.problem({ inputs, y, attributes });
    const functions = form.functions?.(DTYPES[problem.dtype].accumulate, attributes);
    return stagesOf(form.family, problem, choose, { functions, libraries: form.libraries });
  }
  const count = sizeOf(schedule.domain(group));
  const { dtype } = steps[group.outputs[0]];
  const SIZE = Math.ceil(count / DTYPES[dtype].perWord); // an invocation writes one word
  return stagesOf(elementwise, { dtype, SIZE }, choose);
}
