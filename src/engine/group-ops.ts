import { postorder } from "../core/postorder.ts";
import type { Group } from "./fusion.ts";
import type { KernelSchedule } from "./schedule.ts";

/** The steps that a group computes, inputs first. */
export function stepsOf(schedule: KernelSchedule, { outputs, anchors }: Group): number[] {
  const { steps } = schedule.program;
  const isOwn = (i: number) => outputs.includes(i) || !schedule.stored.has(i);
  // Several results are one op's.
  const isStep = (i: number) => steps[i].op && (anchors.indexOf(i) < 1 || !steps[i].op.cpuAll);
  return [...postorder(outputs, (i) => steps[i].inputs.filter(isOwn))].filter(isStep);
}

/** The names of the ops that a group computes, in their order; only of what costs something. */
export function opsOf(schedule: KernelSchedule, group: Group): string[] {
  const { steps } = schedule.program;
  const all = stepsOf(schedule, group);
  const costly = all.filter((i) => steps[i].op?.cost !== 0);
  return (costly.length > 0 ? costly : all).map((i) => steps[i].op?.name as string);
}
