import { DTYPES } from "../core/dtype.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { postorder } from "../core/postorder.ts";
import type { Shape } from "../core/shape.ts";
import { identity } from "../graph/identity.ts";
import { costOf, type Op } from "../graph/op.ts";
import type { Program, Step, Update } from "./program.ts";

/** Whether each stored value that a group reads is read for element i at element i only. */
export type Reads = ReadonlyMap<number, boolean>;

/** What becomes one part of a kernel: an anchor with its own file, or pointwise steps alone. */
export class Group {
  reads: Reads = new Map();
  /**
   * What its steps weigh, and how many there are, each also as read out of order. Infinite where it
   * writes over what it reads elsewhere.
   */
  weight = 0;
  size = 0;
  /** Its place among the groups. */
  place = 0;
  /** Higher than those of all groups that it waits for. */
  rank = 0;
  /** Groups that must run before though it reads nothing of them. */
  earlier: Set<Group> | null = null;
  /** A product that its kernel makes where it wants it; none when left out. */
  product?: number;

  /**
   * @param anchors the results of the op with a kernel form that are used, or of the ops that one
   * kernel computes; none in a group of pointwise steps.
   * @param outputs the steps whose values are stored, in order, each computed from element i of one
   * anchor for element i.
   */
  constructor(
    readonly anchors: readonly number[],
    public outputs: readonly number[],
  ) {}
}

/** What a group's steps may weigh before it is cut in two, and how many of them may form a chain. */
export const GROUP_WEIGHT = 256;

/** Whether a step's elements can be computed wherever they are needed. */
export function isPointwise({ op }: Step): boolean {
  return op?.form.kind === "pointwise" || op?.form.kind === "map";
}

/** A step's cost per element, at least 1 for its code; 0 of what has a kernel of its own. */
function weightOf(step: Step): number {
  return isPointwise(step) ? Math.max(1, costOf(step.op as Op)) : 0;
}

/** Which of its kernel's results an anchor is. */
export function resultOf({ op, result = 0 }: Step): number {
  return op?.form.kind === "kernel" ? (op.form.result ?? 0) + result : result;
}

/** How many steps have a step among their inputs, and one of them. */
export interface Consumers {
  readonly count: Uint32Array;
  readonly last: Uint32Array;
}

/** Counts, for each step, those that have it among their inputs. */
export function consumersOf(steps: readonly Step[]): Consumers {
  const count = new Uint32Array(steps.length);
  const last = new Uint32Array(steps.length);
  for (let i = 0; i < steps.length; i++) {
    for (const input of steps[i].inputs) {
      if (count[input] === 0 || last[input] !== i) count[input]++; // each once
      last[input] = i;
    }
  }
  return { count, last };
}

/** How many groups are looked at for a dependence; beyond them there is taken to be one. */
const LOOK_LIMIT = 256;

/** A program cut into groups, while it is being made better. */
export class Fusion {
  /** The program, with copies that were appended. */
  readonly program: Program;
  /** Values that had to be copied to their states. */
  readonly late = new Set<number>();
  /** Steps that write some elements of a state's memory and leave the others. */
  readonly scattered: Set<number>;
  readonly #steps: Step[];
  readonly #updates: Update[];
  readonly #groups = new Set<Group>();
  readonly #producers = new Map<number, Group>();
  /** Stored step → the groups that wait for it, nearly always to read it. */
  readonly #readers = new Map<number, Set<Group>>();
  /** For each step the mark of the last look that saw it out of order, and in order. */
  readonly #seen: Uint32Array;
  #mark = 0;

  /** @param groups each behind all whose values it reads. */
  constructor(
    program: Program,
    groups: readonly Group[],
    /** Steps whose values are in memory. */
    readonly stored: Set<number>,
  ) {
    this.#steps = [...program.steps];
    this.#updates = [...program.updates];
    this.program = { ...program, steps: this.#steps, updates: this.#updates };
    this.scattered = scatteredSteps(program);
    this.#seen = new Uint32Array(2 * (program.steps.length + program.updates.length)); // and copies
    for (const [place, group] of groups.entries()) this.#put(group, place);
  }

  get groups(): Group[] {
    return inPlace(this.#groups);
  }

  /** Whether a group has not become part of another one. */
  has(group: Group): boolean {
    return this.#groups.has(group);
  }

  /** The group that stores a step; none for sources. */
  producer(step: number): Group | undefined {
    return this.#producers.get(step);
  }

  /** The groups that read a stored step. */
  readers(step: number): Group[] {
    const waiting = this.#readers.get(step);
    return waiting ? inPlace([...waiting].filter(({ reads }) => reads.has(step))) : [];
  }

  #waiting(step: number): Set<Group> {
    return getOrInsert(this.#readers, step, () => new Set());
  }

  /** The groups that wait for what a group stores. */
  behind({ outputs }: Group): Set<Group> {
    const found = new Set<Group>();
    for (const step of outputs) for (const group of this.#waiting(step)) found.add(group);
    return found;
  }

  /** The groups that must have run before a group. */
  before(group: Group): Group[] {
    const found = this.sources(group);
    return group.earlier ? [...new Set([...found, ...group.earlier])] : found;
  }

  /** Groups whose stored values a group reads. */
  sources(group: Group): Group[] {
    const found: Group[] = []; // as few as a kernel binds buffers
    for (const step of group.reads.keys()) {
      const other = this.producer(step);
      if (other && other !== group && !found.includes(other)) found.push(other);
    }
    return found;
  }

  /**
   * What two groups would be as one: it stores what others read and what is a result.
   * @param product the anchor of the first that the kernel of the second makes, if it is that.
   */
  joined(first: Group, second: Group, results: ReadonlySet<number>, product?: number): Group {
    const isNeeded = (step: number) => {
      const readers = this.#waiting(step);
      return results.has(step) || readers.size > Number(readers.has(second));
    };
    const outputs = [...first.outputs, ...second.outputs].filter(isNeeded).sort((a, b) => a - b);
    const anchors = [...first.anchors, ...second.anchors].filter((i) => i !== product);
    return Object.assign(new Group(anchors, outputs), { product });
  }

  /** Puts one group in the place of two. */
  join(first: Group, second: Group, joined: Group): void {
    for (const group of [first, second]) {
      this.#take(group);
      for (const step of group.outputs) {
        if (!joined.outputs.includes(step)) this.stored.delete(step);
      }
    }
    joined.rank = first.rank;
    this.#put(joined, first.place);
  }

  /**
   * Lets a group of its own write the value of an update to the state: a copy, or the elements that it
   * scatters, from a copy of these. Gives what that group stores.
   */
  copy(update: number): number {
    const { source, value } = this.#updates[update];
    this.late.add(value);
    const from = this.#valueStep(value);
    const isScattered = from !== value;
    const { shape, dtype } = this.#steps[from];
    const step = { op: identity, attributes: {}, inputs: [from], shape, dtype };
    const copy = this.#steps.push(step) - 1;
    const writer = this.producer(value) as Group;
    this.#take(writer);
    if (isScattered) {
      const own = this.#steps[value];
      const inputs = own.inputs.map((input) => (input === from ? copy : input));
      this.#steps[value] = { ...own, inputs };
      writer.outputs = [...writer.outputs.filter((output) => output !== value), copy];
      // Who waits for the writer waits for the copy.
      this.#readers.set(copy, this.#waiting(value));
      this.#readers.delete(value);
    } else this.#updates[update] = { source, value: copy };
    this.stored.add(copy);
    this.#put(writer, writer.place);
    const last = isScattered ? value : copy;
    this.#put(new Group([], [last]), copy);
    return last;
  }

  /** Lets a group run behind others. */
  wait(group: Group, others: readonly Group[]): void {
    for (const other of others) {
      group.earlier ??= new Set();
      group.earlier.add(other);
      this.#waiting(other.outputs[0]).add(group);
    }
    this.#rank(group);
  }

  #put(group: Group, place: number): void {
    group.place = place;
    this.#groups.add(group);
    this.explore(group);
    for (const step of group.outputs) this.#producers.set(step, group);
    for (const step of group.reads.keys()) this.#waiting(step).add(group);
    this.#rank(group);
  }

  #take(group: Group): void {
    this.#groups.delete(group);
    for (const step of group.outputs) this.#producers.delete(step);
    for (const step of group.reads.keys()) this.#waiting(step).delete(group);
  }

  /** Ranks a group above what it waits for, and what waits for it above that. */
  #rank(group: Group): void {
    for (const { rank } of this.before(group)) group.rank = Math.max(group.rank, rank + 1);
    const open = [group];
    for (let next = open.pop(); next; next = open.pop()) {
      for (const step of next.outputs) {
        for (const other of this.#readers.get(step) ?? []) {
          if (other.rank > next.rank) continue;
          other.rank = next.rank + 1;
          open.push(other);
        }
      }
    }
  }

  /** Whether a group waits for another, directly or not; never false where it does. */
  dependsOn(group: Group, on: Group): boolean {
    const seen = new Set([group]);
    for (const next of seen) {
      if (next === on || seen.size > LOOK_LIMIT) return true;
      // A Set goes on to what is added to it meanwhile.
      if (next.rank > on.rank) for (const other of this.before(next)) seen.add(other);
    }
    return false;
  }

  /** The shape whose elements a group's invocations own. */
  domain({ anchors, outputs }: Group): Shape {
    return this.#steps[this.#valueStep(anchors[0] ?? outputs[0])].shape;
  }

  /** Which of its kernel's results an output of a group is made of; 0 in a group of pointwise steps. */
  resultAt(anchors: readonly number[], output: number): number {
    const group = this.producer(output);
    const isOther = (i: number) => this.stored.has(i) && this.producer(i) !== group;
    const before = (i: number) => (anchors.includes(i) || isOther(i) ? [] : this.#steps[i].inputs);
    const own = anchors.length < 2 ? anchors : postorder([output], before);
    const anchor = [...own].find((i) => anchors.includes(i));
    return anchor === undefined ? 0 : resultOf(this.#steps[anchor]);
  }

  /** Finds what a group reads and weighs; gives the group. */
  explore(group: Group): Group {
    const reads = new Map<number, boolean>();
    const seen = this.#seen;
    // A state some of whose rows the group writes in place → what names them: a scatter's first inputs.
    const scatters = group.outputs.filter((output) => this.scattered.has(output));
    const rows = new Map(scatters.map((i) => this.#steps[i].inputs as [number, number]));
    const mark = ++this.#mark;
    let weight = 0;
    let size = 0;
    // A step is visited as aligned, and once more where it is not; `~i` stands for the latter.
    const open = [...group.outputs].reverse();
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      const isAligned = key >= 0;
      const i = isAligned ? key : ~key;
      const own = 2 * i + Number(isAligned);
      if (seen[own] === mark) continue;
      seen[own] = mark;
      size++;
      if (this.stored.has(i) && !group.outputs.includes(i)) {
        reads.set(i, isAligned && (reads.get(i) ?? true));
        if (rows.has(i) && !isAligned) weight = Number.POSITIVE_INFINITY;
        continue;
      }
      const step = this.#steps[i];
      if (seen[own ^ 1] !== mark) weight += weightOf(step);
      const value = this.scattered.has(i) ? this.#scatter(i) : -1;
      for (let k = step.inputs.length - 1; k > (value < 0 ? -1 : 0); k--) {
        const names = rows.get(step.inputs[k]);
        const isLinear = value < 0 ? step.op?.linear : k === value;
        const isOwn = step.op?.takesRows && step.inputs[1] === names;
        const keeps = isAligned && (names === undefined ? isLinear : isOwn);
        open.push(keeps ? step.inputs[k] : ~step.inputs[k]);
      }
    }
    return Object.assign(group, { reads, weight, size });
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

function inPlace(groups: Iterable<Group>): Group[] {
  return [...groups].sort((a, b) => a.place - b.place);
}

/** New values of states that only differ in some elements from the old ones; nobody reads them whole. */
function scatteredSteps({ steps, updates }: Program): Set<number> {
  const { count } = consumersOf(steps);
  const found = updates.filter(({ source, value }) => {
    const { op, inputs, dtype } = steps[value];
    const isOwn = op?.scatter !== undefined && inputs[0] === source;
    return isOwn && count[value] === 0 && DTYPES[dtype].perWord === 1;
  });
  return new Set(found.map(({ value }) => value));
}
