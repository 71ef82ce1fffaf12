import { total } from "../../engine/stats.ts";
import type { Choose, KernelChoice, Stage } from "../../forms/kernel.ts";
import type { Traits } from "../../forms/traits.ts";
import { byRule } from "../../kernels/choose.ts";
import { plainKernels } from "../../kernels/plain.ts";
import { type PartCall, type PartText, sharesOf } from "./assemble.ts";
import type { Job } from "./jobs.ts";

/** Invocations of a workgroup: larger ones would have fewer registers for each. */
const MOST_INVOCATIONS = 256;

/** How often it may go through a phase, of which a dispatch would have all invocations at once. */
const MOST_TURNS = 8;

/** Along how many elements an invocation may walk. */
const LONGEST_WALK = 512;

/** What calls a barrier, which would have to be met by the whole workgroup. */
const BARRIER = /Barrier *\(/;

/** The traits by which programs are lowered and kernels chosen that one workgroup runs. */
export function phaseTraits(traits: Traits): Traits {
  return { ...traits, workgroupMemory: false };
}

/** Invocations of a workgroup that does phases. */
export function phaseInvocations({ invocations = MOST_INVOCATIONS }: Traits): number {
  return Math.min(invocations, MOST_INVOCATIONS);
}

/**
 * Chooses kernels without barriers whose invocations do as little each as they can, and of little
 * code, as many of them are in one kernel.
 */
export function phaseChoice(traits: Traits): Choose {
  const choose = byRule(phaseTraits(traits));
  return (family, problem) => {
    const choice = choose(family, problem);
    const kernel = family.computes && plainKernels[family.computes]?.(choice.kernel as never);
    const candidate = kernel?.candidates.find(
      ({ WORKGROUP, ROWS = 1 }) => WORKGROUP === traits.threads && ROWS === 1,
    );
    return candidate ? ({ kernel, candidate } as KernelChoice<never>) : choice;
  };
}

/**
 * Makes of dispatches that wait for each other phases of as few as may be, each of which one workgroup
 * does; null where that is not worth it.
 * @param invocations of the workgroup, at the most.
 * @param isBindable whether one kernel may bind all that some jobs read and write.
 */
export function joinPhases(
  dispatches: readonly Job[][],
  invocations: number,
  isBindable: (jobs: readonly Job[]) => boolean,
): Job[][][] | null {
  const joined: Job[][][] = [];
  const threads = dispatches[0]?.[0].stage.threads;
  for (const jobs of dispatches) {
    const workgroups = total(jobs.map(({ stage }) => stage.workgroups));
    const fits = workgroups * threads <= MOST_TURNS * invocations;
    if (!fits || jobs.some(({ stage }) => stage.threads !== threads || !isShortWalk(stage)))
      return null;
    const last = joined[joined.length - 1];
    if (last && isBindable([...last, jobs].flat())) last.push(jobs);
    else joined.push([jobs]);
  }
  return joined.length < dispatches.length ? joined : null;
}

/** Whether invocations of a kernel wait for no others, and for little. */
function isShortWalk({ kernel: { subgroups, files }, loads }: Stage): boolean {
  const lengths = loads.flatMap(({ extents }) => extents);
  const hasBarriers = subgroups || files.some(({ source }) => BARRIER.test(source));
  return !hasBarriers && lengths.every((length) => length <= LONGEST_WALK);
}

/** Writes an entry point that does the parts of one phase behind those of the other. */
export type PhasesEntry = (phases: readonly (readonly PartText[])[], call: PartCall) => string;

/**
 * Has one workgroup of so many invocations, at the most, do all: some at a time of the workgroups that
 * a dispatch of a phase would have.
 */
export function phasesEntry(invocations: number): PhasesEntry {
  return (phases, call) => {
    const [[{ threads }]] = phases;
    const grids = phases.map((parts) => total(parts.map(({ workgroups }) => workgroups)));
    const width = Math.min(Math.floor(invocations / threads), Math.max(...grids));
    let first = 0;
    const loops = phases.map((parts, i) => {
      const from = first;
      first += parts.length;
      return `for (var turn = 0u; turn < ${Math.ceil(grids[i] / width)}u; turn++) {
    let workgroup = turn * ${width}u + slot;
    ${sharesOf(parts, (k, own) => call(from + k, own))}
  }`;
    });
    return `
@compute @workgroup_size(${width * threads})
fn main(@builtin(local_invocation_index) index: u32) {
  let slot = index / ${threads}u;
  let local = index % ${threads}u;
  ${loops.join("\n  storageBarrier();\n  ")}
}
`;
  };
}
