import { postorder } from "../core/postorder.ts";
import type { Shape } from "../core/shape.ts";
import { identity } from "../graph/identity.ts";
import { costOf, type Op } from "../graph/op.ts";
import type { Program, Step } from "./program.ts";

/** What becomes one part of a kernel: an anchor with its own file, or pointwise steps alone. */
export interface Group {
  /** The results of the op with a kernel form that are used; none in a group of pointwise steps. */
  readonly anchors: readonly number[];
  /**
   * The steps whose values are stored, in order, each computed from element i of one anchor for
   * element i.
   */
  readonly outputs: readonly number[];
}

/** Whether each stored value that a group reads is read for element i at element i only. */
export type Reads = ReadonlyMap<number, boolean>;

/** What a group computes. */
export interface GroupWork {
  readonly reads: Reads;
  /** The weight of its steps. */
  readonly weight: number;
}

/** What a group's steps may weigh before it is cut in two, and how many of them may form a chain. */
export const GROUP_WEIGHT = 256;

/** Whether a step's elements can be computed wherever they are needed. */
export function isPointwise({ op }: Step): boolean {
  return op?.form.kind === "pointwise" || op?.form.kind === "map";
}

/** Whether a step alone costs more than a group may: whatever reads it, it is stored. */
export function isTooCostly({ op }: Step): boolean {
  return op !== null && costOf(op) > GROUP_WEIGHT;
}

/** A step's cost per element, at least 1 for its code; 0 for what no cut makes cheaper. */
function weightOf(step: Step): number {
  return isPointwise(step) && !isTooCostly(step) ? Math.max(1, costOf(step.op as Op)) : 0;
}

/** For each step, those that have it among their inputs, in order. */
export function consumersOf(steps: readonly Step[]): number[][] {
  const consumers: number[][] = steps.map(() => []);
  for (const [i, { inputs }] of steps.entries()) {
    for (const input of new Set(inputs)) consumers[input].push(i);
  }
  return consumers;
}

/** A program cut into groups, while it is being made better. */
export class Fusion {
  readonly #source: Program;
  readonly #steps: Step[];
  /** Value → the state that it is for; of each value, the one that is stored there last. */
  readonly #values: number[];
  /** Steps that write some elements of a state's memory and leave the others. */
  readonly scattered: Set<number>;
  /** The groups in order; null where one was joined to another. */
  readonly #list: (Group | null)[] = [];
  readonly #places = new Map<Group, number>();
  readonly #regions = new Map<Group, GroupWork>();
  readonly #producers = new Map<number, Group>();
  readonly #readers = new Map<number, Set<Group>>();

  constructor(
    program: Program,
    groups: readonly Group[],
    /** Steps whose values are in memory. */
    readonly stored: Set<number>,
  ) {
    this.#source = program;
    this.#steps = [...program.steps];
    this.#values = program.updates.map(({ value }) => value);
    this.scattered = scatteredSteps(program);
    for (const group of groups) this.#put(group, this.#list.length);
  }

  get program(): Program {
    const updates = this.#source.updates.map(({ source }, i) => {
      return { source, value: this.#values[i] };
    });
    return { ...this.#source, steps: this.#steps, updates };
  }

  get groups(): Group[] {
    return this.#list.filter((group) => group !== null);
  }

  /** Whether a group has not become part of another one. */
  has(group: Group): boolean {
    return this.#places.has(group);
  }

  step(i: number): Step {
    return this.#steps[i];
  }

  /** The group that stores a step; none for sources. */
  producer(step: number): Group | undefined {
    return this.#producers.get(step);
  }

  /** The groups that read a stored step, in order. */
  readers(step: number): Group[] {
    const place = (group: Group) => this.#places.get(group) as number;
    return [...(this.#readers.get(step) ?? [])].sort((a, b) => place(a) - place(b));
  }

  /** The groups that read what a group stores. */
  consumers({ outputs }: Group): Set<Group> {
    return new Set(outputs.flatMap((step) => [...(this.#readers.get(step) ?? [])]));
  }

  /** What two groups would be as one: it stores what others read and what is a result. */
  joined(first: Group, second: Group, results: ReadonlySet<number>): Group {
    const outputs = [...first.outputs, ...second.outputs].sort((a, b) => a - b);
    const isNeeded = (step: number) => {
      const readers = this.#readers.get(step);
      return results.has(step) || (readers?.size ?? 0) > (readers?.has(second) ? 1 : 0);
    };
    return { anchors: first.anchors, outputs: outputs.filter(isNeeded) };
  }

  /** Puts one group in the place of two. */
  join(first: Group, second: Group, joined: Group): void {
    const place = this.#take(first);
    this.#take(second);
    for (const step of [...first.outputs, ...second.outputs]) {
      if (!joined.outputs.includes(step)) this.stored.delete(step);
    }
    this.#put(joined, place);
  }

  /** Appends a group that copies a value, and what it copies is a state's new value no longer. */
  copy(update: number): number {
    const value = this.#values[update];
    const { shape, dtype } = this.#steps[value];
    const step = { op: identity, attributes: {}, inputs: [value], shape, dtype };
    const copy = this.#steps.push(step) - 1;
    this.#values[update] = copy;
    if (this.scattered.delete(value)) {
      const writer = this.producer(value) as Group; // now it stores the value as a whole
      this.#put(writer, this.#take(writer));
    }
    this.stored.add(copy);
    this.#put({ anchors: [], outputs: [copy] }, this.#list.length);
    return copy;
  }

  #put(group: Group, place: number): void {
    const region = this.region(group);
    this.#list[place] = group;
    this.#places.set(group, place);
    this.#regions.set(group, region);
    for (const step of group.outputs) this.#producers.set(step, group);
    for (const step of region.reads.keys()) {
      const readers = this.#readers.get(step) ?? new Set();
      this.#readers.set(step, readers.add(group));
    }
  }

  #take(group: Group): number {
    const place = this.#places.get(group) as number;
    for (const step of this.reads(group).keys()) this.#readers.get(step)?.delete(group);
    for (const step of group.outputs) this.#producers.delete(step);
    this.#regions.delete(group);
    this.#places.delete(group);
    this.#list[place] = null;
    return place;
  }

  /** The shape whose elements a group's invocations own. */
  domain({ anchors, outputs }: Group): Shape {
    return this.#steps[this.#valueStep(anchors[0] ?? outputs[0])].shape;
  }

  /** Which of a group's anchors an output is made of; none in a group of pointwise steps. */
  anchorOf(anchors: readonly number[], output: number): number | undefined {
    if (anchors.length < 2) return anchors[0];
    const before = (i: number) => (anchors.includes(i) ? [] : this.#steps[i].inputs);
    return [...postorder([output], before)].find((i) => anchors.includes(i));
  }

  /** The stored steps that a group reads. */
  reads(group: Group): Reads {
    return this.region(group).reads;
  }

  /** The stored steps that a group reads behind its anchor. */
  epilogueReads(group: Group): Reads {
    return this.#explore(group, true).reads;
  }

  /** What a group computes, which need not be one of those that there are. */
  region(group: Group): GroupWork {
    return this.#regions.get(group) ?? this.#explore(group);
  }

  #explore(group: Group, isEpilogue = false): GroupWork {
    const reads = new Map<number, boolean>();
    const seen = [new Set<number>(), new Set<number>()];
    let weight = 0;
    const open = group.outputs.map((i) => ({ i, aligned: true })).reverse();
    for (let next = open.pop(); next; next = open.pop()) {
      const { i, aligned } = next;
      if (seen[+aligned].has(i) || (isEpilogue && group.anchors.includes(i))) continue;
      seen[+aligned].add(i);
      const step = this.#steps[i];
      if (this.stored.has(i) && !group.outputs.includes(i)) {
        reads.set(i, aligned && (reads.get(i) ?? true));
        continue;
      }
      if (!seen[+!aligned].has(i)) weight += weightOf(step);
      const value = this.scattered.has(i) ? this.#scatter(i) : -1;
      for (let k = step.inputs.length - 1; k > (value < 0 ? -1 : 0); k--) {
        const isAligned = aligned && (value < 0 ? !!step.op?.linear : k === value);
        open.push({ i: step.inputs[k], aligned: isAligned });
      }
    }
    return { reads, weight };
  }

  /** Groups whose stored values a group reads. */
  sources(group: Group): Group[] {
    const found = new Set<Group>();
    for (const step of this.reads(group).keys()) {
      const producer = this.producer(step);
      if (producer && producer !== group) found.add(producer);
    }
    return [...found];
  }

  /** The input whose elements a step writes in place. */
  #scatter(i: number): number {
    return this.#steps[i].op?.scatter as number;
  }

  /** The step over whose elements a step is computed: its own, or the value that it scatters. */
  #valueStep(i: number): number {
    return this.scattered.has(i) ? this.#steps[i].inputs[this.#scatter(i)] : i;
  }
}

/** New values of states that only differ in some elements from the old ones, which nobody reads. */
function scatteredSteps({ steps, updates }: Program): Set<number> {
  const consumers = consumersOf(steps);
  const found = updates.filter(({ source, value }) => {
    const { op, inputs } = steps[value];
    const inPlace = op?.scatter !== undefined && inputs[0] === source;
    return inPlace && consumers[source].length === 1 && consumers[value].length === 0;
  });
  return new Set(found.map(({ value }) => value));
}
