import { postorder } from "../core/postorder.ts";
import { sizeOf } from "../core/shape.ts";
import type { Body } from "../forms/indices.ts";
import { follow } from "../forms/map.ts";
import { Position } from "../forms/position.ts";
import { writeSum } from "../forms/wgsl-sum.ts";
import { costOf } from "../graph/op.ts";
import { consumersOf, Fusion, GROUP_WEIGHT, Group, isPointwise, isTooCostly } from "./fusion.ts";
import { callKey, type Program, resultsOf, type Step } from "./program.ts";

/** What may be computed again by a second consumer instead of being stored. */
const RECOMPUTE_COST = 4;
/** How many times what a kernel may read a group is cut at once. */
const WIDE = 4;
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
  readonly #consumers: readonly (readonly number[])[];
  readonly #stored = new Set<number>();
  /** A step that an anchor's kernel computes behind it, or the anchor itself → the anchor. */
  readonly #anchorOf = new Map<number, number>();
  /** An anchor → itself and the steps behind it, in order. */
  readonly #chains = new Map<number, number[]>();
  /** A call of an op with several results → the first one that is used. */
  readonly #calls = new Map<string, number>();

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
      if (!step.op || this.#kept.has(i) || isTooCostly(step)) this.#stored.add(i);
      const isAnchor = step.op?.form.kind === "kernel";
      depths[i] = step.inputs.reduce((most, j) => Math.max(most, depths[j]), 0) + Number(isAnchor);
      if (isAnchor) anchors.push(i);
    });
    // Where chains meet, the anchor that comes last has what follows: no other has to wait for it.
    anchors.sort((a, b) => depths[b] - depths[a]);
    for (const anchor of anchors) this.#growEpilogue(anchor);
    this.#storeShared();
    this.#splitLarge();
    const finals = this.#finals().sort((a, b) => a - b);
    const groups = new Map<number, Group>();
    for (const output of finals) {
      const anchor = this.#anchorBefore(output);
      const first = anchor === null ? output : this.#firstOf(anchor);
      const { anchors = [], outputs = [] } = groups.get(first) ?? {};
      const all = anchor === null ? anchors : [...anchors, anchor];
      groups.set(first, new Group(all, [...outputs, output]));
    }
    return new Fusion(this.#program, [...groups.values()], this.#stored);
  }

  /** The first used result of an anchor's op, by which one kernel for all of them is known. */
  #firstOf(anchor: number): number {
    const step = this.#steps[anchor];
    if (!step.op?.cpuAll) return anchor;
    const key = callKey(step);
    const first = this.#calls.get(key) ?? anchor;
    this.#calls.set(key, first);
    return first;
  }

  /** Follows the only consumer while it computes element i from elements i. */
  #growEpilogue(anchor: number): void {
    const chain = [anchor];
    let last = anchor;
    this.#anchorOf.set(anchor, anchor);
    // What follows one of several results may wait for the others: that is left to merge.
    const isAlone = !this.#steps[anchor].op?.cpuAll;
    while (isAlone && !this.#kept.has(last) && this.#consumers[last].length === 1) {
      const next = this.#consumers[last][0];
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

  /** Whether elements that only move lie too far for a kernel that loads them again and again. */
  #isFar(i: number, budget: number): boolean {
    const { shape } = this.#steps[i];
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
    for (let from = i; !this.#stored.has(from); ) {
      const { op, attributes, inputs, ...y } = this.#steps[from];
      if (op?.form.kind !== "map" || op.cost !== 0) break;
      from = inputs[0];
      const x = this.#steps[from];
      [at] = follow(op.form.maps([x], attributes, y)[0], at, x.shape);
    }
    const grows = sizeOf(shape) > sizeOf(at.shape);
    const isFar =
      !!at.linear && [...texts].filter((t) => t.includes("/")).length > DIVISIONS * budget;
    return isFar && !grows;
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
      const fused = step.inputs.filter((j) => !this.#stored.has(j));
      const isFused = isPointwise(step) && !this.#anchorOf.has(i);
      const cost = isFused && step.op ? costOf(step.op) : 0;
      work[i] = isFused ? fused.reduce((sum, j) => sum + work[j], cost) : 0;
      depth[i] = isFused ? fused.reduce((most, j) => Math.max(most, depth[j]), 0) + 1 : 0;
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

  /** Steps that a kernel of their own stores. */
  #finals(): number[] {
    return [...this.#stored].filter((i) => this.#steps[i].op);
  }

  /** Stores more steps until no kernel reads too many; what one group stores, all of them read. */
  #splitLarge(): void {
    let changed = new Set(this.#finals());
    while (changed.size > 0) {
      const open = changed;
      changed = new Set();
      for (const output of open) {
        changed.delete(output);
        const anchor = this.#anchorBefore(output);
        const others = this.#steps[output].op?.cpuAll ? 2 : 0; // results beside it
        if (this.#leaves(output).length + others <= this.inputLimit) continue;
        const { counts, wide } = this.#leafCounts(output);
        for (const cut of wide.length > 0 ? wide : this.#cuts(output, anchor, counts)) {
          this.#store(cut);
          for (const final of this.#finalsBehind(cut).add(cut).add(output)) changed.add(final);
        }
      }
    }
  }

  /** The steps whose kernels compute what a step is needed for. */
  #finalsBehind(cut: number): Set<number> {
    const after = (i: number) => (i !== cut && this.#stored.has(i) ? [] : this.#consumers[i]);
    return new Set([...postorder([cut], after)].filter((i) => this.#stored.has(i)));
  }

  /** Stores a step; what came behind it in an epilogue becomes pointwise on its own. */
  #store(cut: number): void {
    this.#stored.add(cut);
    const chain = this.#chain(this.#anchorBefore(cut));
    for (const step of chain.splice(chain.indexOf(cut) + 1)) this.#anchorOf.delete(step);
  }

  #anchorBefore(output: number): number | null {
    return this.#anchorOf.get(output) ?? null;
  }

  /** An anchor and the steps behind it, in order. */
  #chain(anchor: number | null): number[] {
    return anchor === null ? [] : (this.#chains.get(anchor) as number[]);
  }

  /** Stored steps that a group reads. */
  #leaves(output: number): number[] {
    const isLeaf = (i: number) => i !== output && this.#stored.has(i);
    return [...postorder([output], (i) => (isLeaf(i) ? [] : this.#steps[i].inputs))].filter(isLeaf);
  }

  /**
   * The fused step whose storing takes most inputs away without having too many itself; where there
   * is none, the steps of an epilogue that cannot stay in it, last ones first, and the one before.
   */
  #cuts(output: number, anchor: number | null, counts: ReadonlyMap<number, number>): number[] {
    const count = (i: number) => counts.get(i) as number;
    let best = -1;
    let most = 1;
    const seen = new Set<number>();
    const open = [...this.#steps[output].inputs].reverse();
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      if (this.#stored.has(i) || seen.has(i)) continue;
      seen.add(i);
      const isBetter = count(i) > most && count(i) <= this.inputLimit;
      if (isBetter && this.#anchorOf.get(i) !== anchor) {
        best = i;
        most = count(i);
      }
      open.push(...[...this.#steps[i].inputs].reverse());
    }
    if (best >= 0) return [best];
    // Only epilogues get here: no op has more inputs than a kernel may read.
    const chain = this.#chain(anchor);
    const before = chain.slice(0, chain.indexOf(output));
    const last = before.findLastIndex((i) => count(i) <= this.inputLimit);
    return before.slice(Math.max(0, last)).reverse();
  }

  /**
   * How many stored steps each step of a group is computed of, up to many; those of so many that
   * they are stored, whatever else is, count as one from there.
   */
  #leafCounts(output: number): { counts: Map<number, number>; wide: number[] } {
    const isLeaf = (i: number) => i !== output && this.#stored.has(i);
    const before = (i: number) => (isLeaf(i) ? [] : this.#steps[i].inputs);
    const leaves = new Map<number, Set<number>>();
    const counts = new Map<number, number>();
    const wide: number[] = [];
    for (const i of postorder([output], before)) {
      const own = new Set(before(i).flatMap((input) => [...(leaves.get(input) ?? [])]));
      if (own.size > WIDE * this.inputLimit && i !== output && !this.#anchorOf.has(i)) wide.push(i);
      counts.set(i, own.size);
      leaves.set(i, isLeaf(i) || wide.at(-1) === i ? new Set([i]) : own);
    }
    return { counts, wide };
  }
}
