import { EngineDevice } from "../../src/engine/device.ts";
import { opsOf, stepsOf } from "../../src/engine/group-ops.ts";
import { planMemory } from "../../src/engine/memory-plan.ts";
import type { Program, Step } from "../../src/engine/program.ts";
import { entryFile } from "../../src/kernels/stage.ts";
import { type Stages, stagesOf } from "./stages.ts";

/** One step of a program. */
export interface StepForm {
  readonly op: string | null;
  readonly type: string;
  readonly inputs: readonly number[];
  /** What else the call says, as text. */
  readonly attributes: string;
  /** The group that computes it, -1 for a source and for what several groups compute anew. */
  readonly group: number;
  /** The state that it becomes, or null. */
  readonly becomes: number | null;
}

/** One group of a schedule. */
export interface GroupForm {
  readonly ops: readonly string[];
  readonly steps: readonly number[];
  readonly reads: readonly number[];
  readonly stores: readonly number[];
  readonly dispatch: number;
  readonly file: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly workgroups: number;
  readonly threads: number;
}

/** One dispatch. */
export interface DispatchForm {
  readonly groups: readonly number[];
  readonly flops: number;
  readonly bytes: number;
  readonly buffers: number;
}

/** A value between dispatches. */
export interface ValueForm {
  readonly step: number;
  readonly slot: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** All forms of a step of training, in plain data. */
export interface Forms {
  /** How many steps were traced, and how many simplification left. */
  readonly traced: number;
  readonly simplified: number;
  readonly steps: readonly StepForm[];
  readonly groups: readonly GroupForm[];
  readonly dispatches: readonly DispatchForm[];
  readonly values: readonly ValueForm[];
  /** Bytes of each slot of memory. */
  readonly slots: readonly number[];
  /** Bytes that are needed at once. */
  readonly least: number;
}

/** Listens to what a device is given to plan: gives the last traced program. */
export function listen(device: unknown): () => Program {
  if (!(device instanceof EngineDevice)) throw new Error("step: no device of the engine");
  let last: Program | null = null;
  const plan = device.plan.bind(device);
  device.plan = (program, options) => {
    last = program;
    return plan(program, options);
  };
  return () => {
    if (!last) throw new Error("step: nothing was planned; expected a step that was prepared");
    return last;
  };
}

/** The forms of a program, and the code of each dispatch. */
export function formsOf(traced: Program): { forms: Forms; codes: readonly string[] } {
  const stages = stagesOf(traced);
  const { simplified, schedule, dispatches, codes, lives, stats } = stages;
  const { slots, sizes } = planMemory(lives);
  const groupOf = groupsOf(stages);
  const updates = new Map(schedule.program.updates.map(({ source, value }) => [value, source]));
  const forms = {
    traced: traced.steps.length,
    simplified: simplified.steps.length,
    steps: schedule.program.steps.map((step, i) => ({
      op: step.op?.name ?? null,
      type: typeOf(step),
      inputs: step.inputs,
      attributes: attributesOf(step),
      group: groupOf.get(i) ?? -1,
      becomes: updates.get(i) ?? null,
    })),
    groups: groupForms(stages),
    dispatches: dispatches.map((jobs, i) => ({
      groups: jobs.map(({ group }) => schedule.groups.indexOf(group)),
      flops: stats.kernels[i].flops,
      bytes: stats.kernels[i].bytes,
      buffers: stats.kernels[i].bindings,
    })),
    values: lives.map(({ key, bytes, first, last }) => {
      return { step: key, slot: slots.get(key) as number, bytes, first, last };
    }),
    slots: sizes,
    least: stats.lowerBoundBytes,
  };
  return { forms, codes: codes.map(({ code }) => code) };
}

/** The one group that computes a step. */
function groupsOf({ schedule }: Stages): Map<number, number> {
  const found = new Map<number, number>();
  for (const [g, group] of schedule.groups.entries()) {
    for (const step of stepsOf(schedule, group)) found.set(step, found.has(step) ? -1 : g);
  }
  return found;
}

function groupForms({ schedule, dispatches }: Stages): GroupForm[] {
  const found: GroupForm[] = [];
  for (const [dispatch, jobs] of dispatches.entries()) {
    for (const { group, stage } of jobs) {
      const g = schedule.groups.indexOf(group);
      found[g] = {
        ops: opsOf(schedule, group),
        steps: stepsOf(schedule, group),
        reads: schedule.reads[g],
        stores: group.outputs,
        dispatch,
        file: entryFile(stage.kernel),
        constants: stage.constants,
        workgroups: stage.workgroups,
        threads: stage.threads,
      };
    }
  }
  return found;
}

function typeOf({ dtype, shape }: Step): string {
  return `${dtype}[${shape.join(", ")}]`;
}

/** What a call says besides its inputs and its result's type, as far as it is short. */
function attributesOf({ attributes }: Step): string {
  const { shape: _, dtype: __, ...rest } = attributes as Record<string, unknown>;
  const isPlain = (value: unknown) => typeof value !== "object" || Array.isArray(value);
  const told = Object.entries(rest).filter(([, value]) => isPlain(value));
  const texts = told.map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const text = texts.join(", ");
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
