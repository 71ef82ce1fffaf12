import { postorder } from "../core/postorder.ts";
import { identity } from "../graph/identity.ts";
import { fuse } from "./fuse.ts";
import { dependsOn, Fusion, type Group } from "./fusion.ts";
import { bindings, type Homes, merge } from "./merge.ts";
import type { Program, Update } from "./program.ts";

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
  /** New value → the source in whose memory it is written. */
  readonly homes: Homes;
  /** Steps that write only some elements of their home. */
  readonly scattered: ReadonlySet<number>;
  /** The shape whose elements a group's invocations own. */
  domain(group: Group): readonly number[];
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
    merge(fusion, bindingLimit, homes);
    const orderer = new Orderer(fusion);
    const found = orderer.run();
    const copied = [...homes.keys()].filter((value) => !found.homes.has(value));
    if (copied.length === 0 || orderer.fits(bindingLimit)) return found;
    // What has to be copied to its state takes a buffer of its own, which was not counted.
    for (const value of copied) homes.delete(value);
  }
}

/** Finds which states can be changed in place, and an order in which every read sees what it means. */
class Orderer {
  #fusion: Fusion;
  readonly #homes = new Map<number, number>();
  /** Group → groups that must run before it though it reads nothing of them. */
  readonly #readersBefore = new Map<Group, Set<Group>>();

  constructor(fusion: Fusion) {
    this.#fusion = fusion;
  }

  /** Whether no kernel binds more buffers than it may. */
  fits(bindingLimit: number): boolean {
    const fusion = this.#fusion;
    return fusion.groups.every(
      (group) => bindings(fusion, group, group.outputs, this.#homes) <= bindingLimit,
    );
  }

  run(): KernelSchedule {
    for (const update of this.#fusion.program.updates) {
      const place = this.#place(update);
      this.#homes.set(place.value, place.source);
    }
    const fusion = this.#fusion;
    const groups = this.#sorted();
    const number = new Map(groups.map((group, i) => [group, i]));
    return {
      program: fusion.program,
      groups,
      reads: groups.map((group) => [...fusion.reads(group).keys()]),
      after: groups.map((group) => this.#before(group).map((other) => number.get(other) as number)),
      stored: fusion.stored,
      homes: this.#homes,
      scattered: fusion.scattered,
      domain: (group) => fusion.domain(group),
    };
  }

  /** The update itself where it can be made in place, else the update by a copy. */
  #place(update: Update): Update {
    const group = this.#fusion.producer(update.value) as Group;
    const own = this.#fusion.reads(group).get(update.source);
    const readers = this.#readers(update.source, group);
    const late =
      own === false || readers.some((reader) => dependsOn(reader, group, (of) => this.#before(of)));
    const placed = late ? this.#copied(update) : update;
    const writer = this.#fusion.producer(placed.value) as Group;
    const before = this.#readersBefore.get(writer) ?? new Set();
    for (const reader of this.#readers(update.source, writer)) before.add(reader);
    this.#readersBefore.set(writer, before);
    return placed;
  }

  #readers(source: number, except: Group): Group[] {
    return this.#fusion.groups.filter(
      (group) => group !== except && this.#fusion.reads(group).has(source),
    );
  }

  #copied({ source, value }: Update): Update {
    const { program, groups, stored } = this.#fusion;
    const { shape, dtype } = program.steps[value];
    const copy = program.steps.length;
    const step = { op: identity, attributes: {}, inputs: [value], shape, dtype };
    const updates = program.updates.map((update) =>
      update.value === value ? { source, value: copy } : update,
    );
    const extended = { ...program, steps: [...program.steps, step], updates };
    this.#fusion = new Fusion(
      extended,
      [...groups, { anchor: null, outputs: [copy] }],
      stored.add(copy),
    );
    return { source, value: copy };
  }

  #before(group: Group): Group[] {
    return [
      ...new Set([...this.#fusion.sources(group), ...(this.#readersBefore.get(group) ?? [])]),
    ];
  }

  #sorted(): Group[] {
    const groups = [...this.#fusion.groups].sort((a, b) => a.outputs[0] - b.outputs[0]);
    return [...postorder(groups, (group) => this.#before(group))];
  }
}
