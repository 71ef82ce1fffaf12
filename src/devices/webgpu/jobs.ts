import { DTYPES } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Group } from "../../engine/fusion.ts";
import { opsOf } from "../../engine/group-ops.ts";
import { resultTypes } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import type { Choose, Stage } from "../../forms/kernel.ts";
import { applyFormula } from "../../forms/scalars.ts";
import { pointwiseGroups } from "../../kernels/elementwise.ts";
import { entryFile, stageOf } from "../../kernels/stage.ts";
import { wgslScalars } from "./scalars.ts";

/** What computes a group: it can share a dispatch with others. */
export interface Job {
  /** Equal for jobs whose code may be equal. */
  readonly kind: string;
  readonly group: Group;
  readonly stage: Stage;
  /** Keys of the memory that it reads and writes, which are steps. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Jobs that must have run in an earlier dispatch. */
  readonly after: readonly Job[];
}

/** Lists what computes the groups of a schedule that have something to compute. */
export function jobsOf(schedule: KernelSchedule, choose: Choose): Job[] {
  const jobs: Job[] = [];
  /** The jobs after which a group's results are there. */
  const final: (readonly Job[])[] = [];
  for (const [g, group] of schedule.groups.entries()) {
    const after = [...new Set(schedule.after[g].flatMap((other) => final[other]))];
    final.push(after);
    if (sizeOf(schedule.domain(group)) === 0) continue;
    const home = (step: number) => schedule.homes.get(step) ?? step;
    const stage = stageOfGroup(schedule, group, choose);
    const { kernel, constants } = stage;
    const numbers = group.anchors.length > 0 ? Object.values(constants) : [];
    const job: Job = {
      kind: [entryFile(kernel), ...numbers, ...opsOf(schedule, group)].join(),
      group,
      stage,
      reads: schedule.reads[g].map(home),
      writes: group.outputs.map(home),
      after,
    };
    jobs.push(job);
    final[g] = [job];
  }
  return jobs;
}

function stageOfGroup(schedule: KernelSchedule, group: Group, choose: Choose): Stage {
  const { steps } = schedule.program;
  const [anchor] = group.anchors;
  const form = steps[anchor]?.op?.form;
  if (form?.kind === "kernel") {
    const { family, libraries } = form;
    const { attributes, inputs: numbers } = steps[anchor];
    const inputs = numbers.map((input) => steps[input]);
    const [y] = resultTypes(schedule.program, steps[anchor]);
    const problem = form.problem({ inputs, y, attributes });
    const choice = choose(family, problem);
    const type = DTYPES[problem.dtype].accumulate;
    const m = wgslScalars(type, libraries, "");
    const functions: Record<string, string> = {};
    for (const [name, formula] of Object.entries(form.functions?.(type, attributes) ?? {})) {
      const parameters = choice.kernel.functions?.[name].match(/\w+(?=:)/g) ?? [];
      functions[name] = applyFormula(formula, m, parameters);
    }
    return stageOf(choice, problem, { functions, libraries });
  }
  const count = sizeOf(schedule.domain(group));
  const { dtype } = steps[group.outputs[0]];
  const problem = { dtype, SIZE: Math.ceil(count / DTYPES[dtype].perWord) }; // one word each
  return stageOf(choose(pointwiseGroups, problem), problem);
}
