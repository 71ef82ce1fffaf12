import { DataMap } from "../core/data-map.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Body } from "../forms/indices.ts";
import { follow, type MapForm } from "../forms/map.ts";
import { Position } from "../forms/position.ts";
import { writeSum } from "../forms/wgsl-sum.ts";
import { type Attributes, costOf } from "../graph/op.ts";
import { type Consumers, consumersOf, Fusion, GROUP_WEIGHT, Group, isPointwise } from "./fusion.ts";
import { callKey, type Program, resultsOf, type Step } from "./program.ts";

/** What may be computed again by a second consumer instead of being stored. */
const RECOMPUTE_COST = 4;
/**
 * Divisions that it may take to find where an element lies, for each unit of cost that a kernel
 * accepts at a load. What takes more is put in order once: written, and read as it lies.
 */
const DIVISIONS = 8;

/**
 * Groups a program's steps into kernels with one result each: pointwise steps are computed where
 * they are needed, unless several kernels want a costly one; the pointwise chain behind an anchor
 * becomes its epilogue.
 *
 * @param inputLimit how many stored values one kernel may read.
 * @param kept steps that are stored in any case.
 */
export function fuse(program: Program, inputLimit: number, kept: Iterable<number> = []): Fusion {
  return new Fuser(program, inputLimit, kept).run();
}

/** The kernels that read a step: one of them, whether there are more, and the least that one accepts. */
interface Readers {
  group: number;
  isShared: boolean;
  budget: number;
}

class Fuser {
  readonly #program: Program;
  readonly #steps: readonly Step[];
  /** What is stored in any case. */
  readonly #kept: Set<number>;
  readonly #consumers: Consumers;
  readonly #stored = new Set<number>();
  /** A step that an anchor's kernel computes behind it, or the anchor itself → the anchor. */
  readonly #anchorOf = new Map<number, number>();
  /** An anchor → itself and the steps behind it, in order. */
  readonly #chains = new Map<number, number[]>();
  /** A call of an op with several results → the first one that is used. */
  readonly #calls = new DataMap<number>();

  constructor(
    program: Program,
    readonly inputLimit: number,
    kept: Iterable<number>,
  ) {
    this.#program = program;
    this.#steps = program.steps;
    this.#kept = new Set([...resultsOf(program), ...kept]);
    this.#consumers = consumersOf(program.steps);
  }

  run(): Fusion {
    const depths: number[] = [];
    const anchors: number[] = [];
    this.#steps.forEach((step, i) => {
      if (!step.op || this.#kept.has(i)) this.#stored.add(i);
      const isAnchor = step.op?.form.kind === "kernel";
      depths[i] = step.inputs.reduce((most, j) => Math.max(most, depths[j]), 0) + Number(isAnchor);
      if (isAnchor) anchors.push(i);
    });
    // Where chains meet, the anchor that comes last has what follows: no other has to wait for it.
    anchors.sort((a, b) => depths[b] - depths[a]);
    for (const anchor of anchors) this.#growEpilogue(anchor);
    this.#storeShared();
    this.#splitLarge();
    const made = new Map<number, { anchors: number[]; outputs: number[] }>();
    for (const output of [...this.#stored].sort((a, b) => a - b)) {
      if (!this.#steps[output].op) continue;
      const anchor = this.#anchorOf.get(output);
      const first = anchor === undefined ? output : this.#firstOf(anchor);
      const { anchors, outputs } = getOrInsert(made, first, () => ({ anchors: [], outputs: [] }));
      if (anchor !== undefined) anchors.push(anchor);
      outputs.push(output);
    }
    const groups = [...made.values()].map(({ anchors, outputs }) => new Group(anchors, outputs));
    return new Fusion(this.#program, groups, this.#stored);
  }

  /** The first used result of an anchor's op, by which one kernel for all of them is known. */
  #firstOf(anchor: number): number {
    const step = this.#steps[anchor];
    return step.op?.cpuAll ? getOrInsert(this.#calls, callKey(step), () => anchor) : anchor;
  }

  /** Follows the only consumer while it computes element i from elements i. */
  #growEpilogue(anchor: number): void {
    const chain = [anchor];
    let last = anchor;
    this.#anchorOf.set(anchor, anchor);
    // What follows one of several results may wait for the others: that is left to merge.
    const isAlone = !this.#steps[anchor].op?.cpuAll;
    while (isAlone && !this.#kept.has(last) && this.#consumers.count[last] === 1) {
      const next = this.#consumers.last[last];
      const step = this.#steps[next];
      if (!step.op?.linear || this.#anchorOf.has(next) || chain.length === GROUP_WEIGHT) break;
      this.#anchorOf.set(next, anchor);
      chain.push(next);
      last = next;
    }
    this.#chains.set(anchor, chain);
    this.#stored.add(last);
  }

  /** Stores pointwise steps that would be computed too often, consumers first. */
  #storeShared(): void {
    const work = this.#work();
    const readers: (Readers | undefined)[] = [];
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const own = readers[i];
      if (own && !this.#anchorOf.has(i) && this.#mustStore(i, work[i], own)) this.#stored.add(i);
      this.#spread(i, readers);
    }
  }

  #mustStore(i: number, work: number, { isShared, budget }: Readers): boolean {
    if (this.#steps[i].op?.cost === 0) return budget < GROUP_WEIGHT && this.#isFar(i, budget);
    return work > budget || (isShared && work > RECOMPUTE_COST);
  }

  /** The map of a step that only moves elements; null of others, and where they are stored. */
  #mapOf(i: number): MapForm<Attributes> | null {
    const { op } = this.#steps[i];
    return op?.form.kind === "map" && op.cost === 0 && !this.#stored.has(i) ? op.form : null;
  }

  /** Whether elements that only move lie too far for a kernel that loads them again and again. */
  #isFar(i: number, budget: number): boolean {
    const { shape } = this.#steps[i];
    const { count, last } = this.#consumers;
    const grows = (from: Shape, to: Shape) => sizeOf(to) > sizeOf(from);
    // Where one step moves it on, to no more places, it is that one's end that lies far or near.
    const isMoved = count[i] === 1 && this.#mapOf(last[i]);
    if (isMoved && !grows(shape, this.#steps[last[i]].shape)) return false;
    const texts = new Set<string>();
    const bind = (text: string) => `t${[...texts.add(text)].indexOf(text)}`;
    const body: Body<string> = {
      bind,
      once: bind,
      sum: (terms, constant) => writeSum(body, terms, constant),
    };
    let at = Position.at(
      body,
      shape,
      shape.map((_, axis) => `p${axis}`),
    );
    let from = i;
    for (let form = this.#mapOf(i); form; form = this.#mapOf(from)) {
      const { attributes, inputs, ...y } = this.#steps[from];
      from = inputs[0];
      const x = this.#steps[from];
      [at] = follow(form.maps([x], attributes, y)[0], at, x.shape);
    }
    const isFar =
      !!at.linear && [...texts].filter((t) => t.includes("/")).length > DIVISIONS * budget;
    return isFar && !grows(at.shape, shape);
  }

  /** Tells a step's inputs which kernels read them and what those accept to recompute. */
  #spread(i: number, readers: (Readers | undefined)[]): void {
    const { op, inputs } = this.#steps[i];
    const own = this.#anchorOf.get(i) ?? (this.#stored.has(i) ? i : null);
    let reader = readers[i];
    if (op?.form.kind === "kernel") {
      reader = { group: this.#firstOf(i), isShared: false, budget: op.form.family.prologueCost };
    } else if (own !== null) reader = { group: own, isShared: false, budget: GROUP_WEIGHT };
    if (!reader) return;
    for (const input of inputs) {
      const known = readers[input] ?? { ...reader };
      known.isShared ||= reader.isShared || known.group !== reader.group;
      known.budget = Math.min(known.budget, reader.budget);
      readers[input] = known;
    }
  }

  /**
   * An upper bound of each step's cost per element, counting what is fused into it. What is dearer
   * than those who read it accept, or ends a long chain, is stored.
   */
  #work(): number[] {
    const budgets = this.#budgets();
    const work: number[] = [];
    const depth: number[] = [];
    this.#steps.forEach((step, i) => {
      const isFused = isPointwise(step) && !this.#anchorOf.has(i);
      const cost = isFused && step.op ? costOf(step.op) : 0;
      work[i] = cost;
      depth[i] = Number(isFused);
      for (const j of isFused ? step.inputs : []) {
        if (this.#stored.has(j)) continue;
        work[i] += work[j];
        depth[i] = Math.max(depth[i], depth[j] + 1);
      }
      const isLarge = cost > 0 && work[i] > budgets[i];
      if (isFused && (isLarge || depth[i] > GROUP_WEIGHT)) this.#stored.add(i);
    });
    return work;
  }

  /** What each step may cost for the kernels that read it, themselves or what only moves it. */
  #budgets(): number[] {
    const budgets = this.#steps.map(() => GROUP_WEIGHT);
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const { op, inputs } = this.#steps[i];
      const isKernel = op?.form.kind === "kernel";
      if (!isKernel && (op?.cost !== 0 || this.#stored.has(i) || this.#anchorOf.has(i))) continue;
      const budget = isKernel ? op.form.family.prologueCost : budgets[i];
      for (const input of inputs) budgets[input] = Math.min(budgets[input], budget);
    }
    return budgets;
  }

  /**
   * Stores more steps until no kernel reads too many: of the inputs of a step, those that are made of
   * most, and what comes before it in an epilogue last. What is stored counts as one, which is one
   * more where others are made of the same, so all is counted again.
   */
  #splitLarge(): void {
    for (let isDone = this.inputLimit >= this.#steps.length; !isDone; ) {
      isDone = true;
      /** The stored steps that each step is made of. */
      const leaves: (readonly number[])[] = [];
      const leavesOf = (i: number) => (this.#stored.has(i) ? [i] : leaves[i]);
      for (const [i, { op, inputs }] of this.#steps.entries()) {
        const room = this.inputLimit - (op?.cpuAll ? 2 : 0); // results beside it
        leaves[i] = union(inputs, leavesOf);
        while (leaves[i].length > room) {
          const cut = this.#cut(i, (input) => leavesOf(input).length);
          if (cut === undefined) break;
          this.#store(cut);
          leaves[i] = union(inputs, leavesOf);
          isDone = false;
        }
      }
    }
  }

  /** The input of a step whose storing takes most away. */
  #cut(i: number, count: (input: number) => number): number | undefined {
    const anchor = this.#anchorOf.get(i);
    const isOwn = (input: number) => Number(this.#anchorOf.get(input) === anchor);
    const open = this.#steps[i].inputs.filter((input) => count(input) > 1);
    return open.sort((a, b) => isOwn(a) - isOwn(b) || count(b) - count(a))[0];
  }

  /** Stores a step; what came behind it in an epilogue becomes pointwise on its own. */
  #store(cut: number): void {
    this.#stored.add(cut);
    const chain = this.#chains.get(this.#anchorOf.get(cut) as number) ?? [];
    for (const step of chain.splice(chain.indexOf(cut) + 1)) this.#anchorOf.delete(step);
  }
}

/** All numbers of some lists, each once. */
function union(
  items: readonly number[],
  listOf: (item: number) => readonly number[],
): readonly number[] {
  return items.length === 1 ? listOf(items[0]) : [...new Set(items.flatMap(listOf))];
}
