import { postorder } from "../core/postorder.ts";
import { fuse } from "./fuse.ts";
import type { Fusion, Group } from "./fusion.ts";
import { type BufferOf, bindings, type Homes, type MergeOptions, merge } from "./merge.ts";
import type { Program } from "./program.ts";
import { reuse } from "./reuse.ts";

/** The groups of a program, which values are stored and where, and what must run before what. */
export interface KernelSchedule {
  /** The program, with copies where a state's new value could not be written in place. */
  readonly program: Program;
  /** The groups, in an order in which they may run. */
  readonly groups: readonly Group[];
  /** For each group, the stored steps that it reads. */
  readonly reads: readonly (readonly number[])[];
  /** For each group, the groups that must have run before, as places in `groups`. */
  readonly after: readonly (readonly number[])[];
  readonly stored: ReadonlySet<number>;
  /** Value → the source, or the value between kernels, in whose memory it is written. */
  readonly homes: Homes;
  /** Steps that write only some elements of their home. */
  readonly scattered: ReadonlySet<number>;
  /** The shape whose elements a group's invocations own. */
  domain(group: Group): readonly number[];
  /** Which of its kernel's results an output of a group is made of; 0 in a group of pointwise steps. */
  resultAt(anchors: readonly number[], output: number): number;
}

/** What devices want of a schedule. */
export type ScheduleOptions = Partial<MergeOptions>;

/**
 * Decides what becomes one kernel, what is stored, and in which order.
 *
 * @param bindingLimit how many buffers one kernel may read and write.
 */
export function scheduleOf(
  program: Program,
  bindingLimit: number,
  { kept, bufferOf = (value) => value, joinsRows = true, findProduct }: ScheduleOptions = {},
): KernelSchedule {
  const homes = new Map(program.updates.map(({ source, value }) => [value, source]));
  for (;;) {
    const fusion = fuse(program, bindingLimit - 1, kept);
    merge(fusion, bindingLimit, homes, { bufferOf, joinsRows, findProduct, kept });
    const found = inOrder(program, fusion);
    const copied = [...fusion.late].filter((value) => homes.has(value));
    if (copied.length === 0 || fits(fusion, bindingLimit, found.homes, bufferOf)) return found;
    // What has to be copied to its state takes a buffer of its own, which was not counted.
    for (const value of copied) homes.delete(value);
  }
}

/** Whether no kernel binds more buffers than it may. */
function fits(fusion: Fusion, limit: number, homes: Homes, bufferOf: BufferOf): boolean {
  return fusion.groups.every((x) => bindings(x, x.outputs, homes, bufferOf) <= limit);
}

/** Finds which states can be changed in place, and an order in which every read sees what it means. */
function inOrder({ updates }: Program, fusion: Fusion): KernelSchedule {
  const homes = new Map<number, number>();
  for (const [i, { source, value }] of updates.entries()) {
    const othersReading = (group: Group) => fusion.readers(source).filter((x) => x !== group);
    const maker = fusion.producer(value) as Group;
    // A state keeps its old value where that is read as the new one is made, or later.
    const isLate =
      maker.reads.get(source) === false ||
      othersReading(maker).some((reader) => fusion.dependsOn(reader, maker));
    const place = isLate ? fusion.copy(i) : value;
    const writer = fusion.producer(place) as Group;
    fusion.wait(writer, othersReading(writer));
    homes.set(place, source);
  }
  const byOutput = fusion.groups.sort((a, b) => a.outputs[0] - b.outputs[0]);
  const groups = [...postorder(byOutput, (group) => fusion.before(group))];
  const number = new Map(groups.map((group, i) => [group, i]));
  reuse(fusion, groups, homes);
  return {
    program: fusion.program,
    groups,
    reads: groups.map(({ reads }) => [...reads.keys()]),
    after: groups.map((group) => fusion.before(group).map((other) => number.get(other) as number)),
    stored: fusion.stored,
    homes,
    scattered: fusion.scattered,
    domain: (group) => fusion.domain(group),
    resultAt: (anchors, output) => fusion.resultAt(anchors, output),
  };
}
