import { fuse } from "./fuse.ts";
import type { Fusion, Group } from "./fusion.ts";
import { bindings, type Homes, merge } from "./merge.ts";
import type { Program, Update } from "./program.ts";
import { reuse } from "./reuse.ts";
import { Waits } from "./waits.ts";

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
  /** Which of a group's anchors an output is made of; none in a group of pointwise steps. */
  anchorOf(anchors: readonly number[], output: number): number | undefined;
}

/**
 * Decides what becomes one kernel, what is stored, and in which order.
 *
 * @param bindingLimit how many values one kernel may read and write.
 */
export function scheduleOf(program: Program, bindingLimit: number): KernelSchedule {
  const homes = new Map(program.updates.map(({ source, value }) => [value, source]));
  for (;;) {
    const fusion = fuse(program, bindingLimit - 1);
    const waits = new Waits(fusion);
    merge(fusion, waits, bindingLimit, homes);
    const found = inOrder(program, fusion, waits);
    const copied = [...homes.keys()].filter((value) => !found.homes.has(value));
    if (copied.length === 0 || fits(fusion, bindingLimit, found.homes)) return found;
    // What has to be copied to its state takes a buffer of its own, which was not counted.
    for (const value of copied) homes.delete(value);
  }
}

/** Whether no kernel binds more buffers than it may. */
function fits(fusion: Fusion, bindingLimit: number, homes: Homes): boolean {
  return fusion.groups.every(
    (group) => bindings(fusion, group, group.outputs, homes) <= bindingLimit,
  );
}

/** Finds which states can be changed in place, and an order in which every read sees what it means. */
function inOrder({ updates }: Program, fusion: Fusion, waits: Waits): KernelSchedule {
  const homes = new Map<number, number>();
  for (const [i, { source, value }] of updates.entries()) {
    const place = isLate(fusion, waits, updates[i]) ? fusion.copy(i) : value;
    const writer = fusion.producer(place) as Group;
    if (place !== value) waits.add(writer);
    waits.wait(writer, othersReading(fusion, source, writer));
    homes.set(place, source);
  }
  const groups = waits.sorted();
  const number = new Map(groups.map((group, i) => [group, i]));
  reuse(fusion, groups, homes);
  return {
    program: fusion.program,
    groups,
    reads: groups.map((group) => [...fusion.reads(group).keys()]),
    after: groups.map((group) => waits.before(group).map((other) => number.get(other) as number)),
    stored: fusion.stored,
    homes,
    scattered: fusion.scattered,
    domain: (group) => fusion.domain(group),
    anchorOf: (anchors, output) => fusion.anchorOf(anchors, output),
  };
}

/** Whether a state's old value is read by what must run when the new one is there, or as it is made. */
function isLate(fusion: Fusion, waits: Waits, { source, value }: Update): boolean {
  const group = fusion.producer(value) as Group;
  const readers = othersReading(fusion, source, group);
  return (
    fusion.reads(group).get(source) === false ||
    readers.some((reader) => waits.dependsOn(reader, group))
  );
}

function othersReading(fusion: Fusion, source: number, except: Group): Group[] {
  return fusion.readers(source).filter((group) => group !== except);
}
