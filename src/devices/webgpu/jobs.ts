import { DTYPES, type DType } from "../../core/dtype.ts";
import { OnDemand } from "../../core/on-demand.ts";
import { sizeOf } from "../../core/shape.ts";
import { type Group, resultOf } from "../../engine/fusion.ts";
import { opsOf } from "../../engine/group-ops.ts";
import type { Program, Step } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { problemOf } from "../../engine/siblings.ts";
import type {
  Family,
  Kernel,
  KernelChoice,
  KernelForm,
  Problem,
  Stage,
} from "../../forms/kernel.ts";
import { applyFormula } from "../../forms/scalars.ts";
import { pointwiseGroups } from "../../kernels/elementwise.ts";
import { entryFile, type OpPart, stageOf } from "../../kernels/stage.ts";
import { wgslScalars } from "./scalars.ts";

/**
 * What lets kernels make short rows themselves, of a product. Until it is there, a kernel of its own
 * makes them, to the same bits.
 * @internal
 */
export const productRows = /* @__PURE__ */ new OnDemand(() => import("./product-rows.ts"));

/** Chooses as `Choose` does, and may go by what else a group of a program computes in the same kernel. */
export type ChooseInProgram = <P extends Problem>(
  family: Family<P>,
  problem: P,
  group?: Group,
  program?: Program,
) => KernelChoice<P>;

/** What computes a group: it can share a dispatch with others. */
export interface Job {
  /** Equal for jobs whose code may be equal. */
  readonly kind: string;
  readonly group: Group;
  /** The anchors that the first result of its kernel is made of, or those of another. */
  readonly calls: readonly number[];
  readonly stage: Stage;
  /** Keys of the memory that it reads and writes, which are steps. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Jobs that must have run in an earlier dispatch. */
  readonly after: readonly Job[];
}

/** Lists what computes the groups of a schedule that have something to compute. */
export function jobsOf(schedule: KernelSchedule, choose: ChooseInProgram): Job[] {
  const jobs: Job[] = [];
  /** The jobs after which a group's results are there. */
  const final: (readonly Job[])[] = [];
  for (const [g, group] of schedule.groups.entries()) {
    const after = [...new Set(schedule.after[g].flatMap((other) => final[other]))];
    final.push(after);
    if (sizeOf(schedule.domain(group)) === 0) continue;
    const home = (step: number) => schedule.homes.get(step) ?? step;
    const calls = callsOf(schedule, group);
    const stage = stageOfGroup(schedule, group, calls, choose);
    const { kernel, constants } = stage;
    const numbers = group.anchors.length > 0 ? Object.values(constants) : [];
    const job: Job = {
      kind: [entryFile(kernel), ...numbers, ...opsOf(schedule, group)].join(),
      group,
      calls,
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

function callsOf({ program }: KernelSchedule, { anchors }: Group): readonly number[] {
  const first = anchors.filter((anchor) => resultOf(program.steps[anchor]) === 0);
  return first.length > 0 ? first : anchors.slice(0, 1);
}

/** What an op adds to a kernel, whose numbers may be fields of what that computes with. */
function addedBy({ attributes, op }: Step, kernel: Kernel, type: DType, field: string): OpPart {
  const { functions, libraries } = (op as { form: KernelForm<unknown> }).form;
  const m = wgslScalars(type, libraries, "");
  const own: Record<string, string> = {};
  for (const [name, formula] of Object.entries(functions?.(type, attributes) ?? {})) {
    const parameters = kernel.functions?.[name].match(/\w+(?=:)/g) ?? [];
    own[name] = applyFormula(
      formula,
      m,
      parameters.map((parameter) => parameter + field),
    );
  }
  return { functions: own, libraries };
}

function stageOfGroup(
  { program, domain }: KernelSchedule,
  group: Group,
  calls: readonly number[],
  choose: ChooseInProgram,
): Stage {
  const { steps } = program;
  if (calls.length > 0) {
    const { family } = (steps[calls[0]].op as { form: KernelForm<unknown> }).form;
    const { product } = group;
    const isMade = product !== undefined && productRows.loaded;
    const problem = {
      ...(isMade && problemOf(program, steps[product])),
      ...problemOf(program, steps[calls[0]]),
    };
    const own = isMade ? isMade.ofProducts(family as never) : family;
    const choice = choose(own as typeof family, problem, group, program);
    const hasFields = calls.length > 1 && family.joins === "elements";
    const ops = calls.map((call, i) => {
      const { accumulate } = DTYPES[problem.dtype];
      return addedBy(steps[call], choice.kernel as Kernel, accumulate, hasFields ? `.v${i}` : "");
    });
    return stageOf(choice, problem, ops, hasFields);
  }
  const count = sizeOf(domain(group));
  const { dtype } = steps[group.outputs[0]];
  const problem = { dtype, SIZE: Math.ceil(count / DTYPES[dtype].perWord) }; // one word each
  return stageOf(choose(pointwiseGroups, problem, group, program), problem);
}
