import { postorder } from "../core/postorder.ts";
import type { Shape } from "../core/shape.ts";
import type { Program, Step } from "./program.ts";

/** What becomes one part of a kernel: an anchor with its own file, or pointwise steps alone. */
export interface Group {
  /** The step with a kernel form, null for a group of pointwise steps. */
  readonly anchor: number | null;
  /**
   * The steps whose values are stored, in order, each computed from element i of the anchor for
   * element i.
   */
  readonly outputs: readonly number[];
}

/** Whether each stored value that a group reads is read for element i at element i only. */
export type Reads = ReadonlyMap<number, boolean>;

/** Whether a step's elements can be computed wherever they are needed. */
export function isPointwise({ op }: Step): boolean {
  return op?.form.kind === "pointwise";
}

/** A program cut into groups, while it is being made better. */
export class Fusion {
  /** Steps that write some elements of a state's memory and leave the others. */
  readonly scattered: ReadonlySet<number>;
  readonly #producers = new Map<number, Group>();
  readonly #reads = new WeakMap<Group, Reads>();

  constructor(
    readonly program: Program,
    readonly groups: Group[],
    /** Steps whose values are in memory. */
    readonly stored: Set<number>,
  ) {
    this.scattered = scatteredSteps(program);
    for (const group of groups) this.add(group);
  }

  /** Notes what a group stores. */
  add(group: Group): void {
    for (const step of group.outputs) this.#producers.set(step, group);
  }

  /** The group that stores a step; none for sources. */
  producer(step: number): Group | undefined {
    return this.#producers.get(step);
  }

  /** What two groups would be as one: it stores what others read and what is a result. */
  joined(first: Group, second: Group, results: ReadonlySet<number>): Group {
    const others = this.groups.filter((group) => group !== second);
    const outputs = [...first.outputs, ...second.outputs].sort((a, b) => a - b);
    const isNeeded = (step: number) =>
      results.has(step) || others.some((group) => this.reads(group).has(step));
    return { anchor: first.anchor, outputs: outputs.filter(isNeeded) };
  }

  /** Puts one group in the place of two. */
  join(first: Group, second: Group, joined: Group): void {
    for (const step of [...first.outputs, ...second.outputs]) {
      this.#producers.delete(step);
      if (!joined.outputs.includes(step)) this.stored.delete(step);
    }
    this.groups[this.groups.indexOf(first)] = joined;
    this.groups.splice(this.groups.indexOf(second), 1);
    this.add(joined);
  }

  /** The shape whose elements a group's invocations own. */
  domain(group: Group): Shape {
    const first = group.anchor ?? group.outputs[0];
    return this.program.steps[this.#valueStep(first)].shape;
  }

  /** The stored steps that a group reads. */
  reads(group: Group): Reads {
    const known = this.#reads.get(group) ?? this.#findReads(group);
    this.#reads.set(group, known);
    return known;
  }

  /** The stored steps that a group reads behind its anchor. */
  epilogueReads(group: Group): Reads {
    return this.#findReads(group, true);
  }

  #findReads(group: Group, isEpilogue = false): Reads {
    const found = new Map<number, boolean>();
    const seen = new Set<string>();
    const visit = (i: number, aligned: boolean): void => {
      const key = `${i},${aligned}`;
      if (seen.has(key) || (isEpilogue && i === group.anchor)) return;
      seen.add(key);
      const step = this.program.steps[i];
      if (this.stored.has(i) && !group.outputs.includes(i)) {
        found.set(i, aligned && (found.get(i) ?? true));
      } else if (this.scattered.has(i)) {
        const value = this.#scatter(i);
        for (const [k, input] of step.inputs.entries()) {
          if (k > 0) visit(input, aligned && k === value);
        }
      } else {
        const isLinear = !!step.op?.linear;
        for (const input of step.inputs) visit(input, aligned && isLinear);
      }
    };
    for (const output of group.outputs) visit(output, true);
    return found;
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
    return this.program.steps[i].op?.scatter as number;
  }

  /** The step over whose elements a step is computed: its own, or the value that it scatters. */
  #valueStep(i: number): number {
    return this.scattered.has(i) ? this.program.steps[i].inputs[this.#scatter(i)] : i;
  }
}

/** New values of states that only differ in some elements from the old ones, which nobody reads. */
function scatteredSteps(program: Program): Set<number> {
  const readers = (i: number) => program.steps.filter((step) => step.inputs.includes(i)).length;
  const found = program.updates.filter(({ source, value }) => {
    const step = program.steps[value];
    const inPlace = step.op?.scatter !== undefined && step.inputs[0] === source;
    return inPlace && readers(source) === 1 && readers(value) === 0;
  });
  return new Set(found.map(({ value }) => value));
}

/** Whether a group waits for another, directly or through those that `before` gives. */
export function dependsOn(group: Group, on: Group, before: (of: Group) => Group[]): boolean {
  return postorder([group], before).has(on);
}
