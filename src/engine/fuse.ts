import { postorder } from "../core/postorder.ts";
import { costOf } from "../graph/op.ts";
import { Fusion, isPointwise } from "./fusion.ts";
import { type Program, resultsOf, type Step } from "./program.ts";

/** What a fused expression may cost per element before it is cut in two. */
const GROUP_COST = 256;
/** What may be computed again by a second consumer instead of being stored. */
const RECOMPUTE_COST = 4;

/**
 * Groups a program's steps into kernels with one result each: pointwise steps are computed where
 * they are needed, unless several kernels want a costly one; the pointwise chain behind an anchor
 * becomes its epilogue.
 *
 * @param inputLimit how many stored values one kernel may read.
 */
export function fuse(program: Program, inputLimit: number): Fusion {
  return new Fuser(program, inputLimit).run();
}

/** Whether a step alone costs more than a group may: whatever reads it, it is stored. */
function isTooCostly(step: Step): boolean {
  return step.op !== null && costOf(step.op) > GROUP_COST;
}

class Fuser {
  readonly #program: Program;
  readonly #steps: readonly Step[];
  readonly #outputs: Set<number>;
  readonly #consumers: number[][];
  readonly #stored = new Set<number>();
  /** A step that an anchor's kernel computes behind it, or the anchor itself → the anchor. */
  readonly #anchorOf = new Map<number, number>();

  constructor(
    program: Program,
    readonly inputLimit: number,
  ) {
    this.#program = program;
    this.#steps = program.steps;
    this.#outputs = resultsOf(program);
    this.#consumers = program.steps.map(() => []);
    program.steps.forEach((step, i) => {
      for (const input of new Set(step.inputs)) this.#consumers[input].push(i);
    });
  }

  run(): Fusion {
    this.#steps.forEach((step, i) => {
      if (!step.op || this.#outputs.has(i) || isTooCostly(step)) this.#stored.add(i);
      if (step.op?.form.kind === "kernel") this.#growEpilogue(i);
    });
    this.#storeShared();
    this.#splitLarge();
    const finals = this.#finals().sort((a, b) => a - b);
    const groups = finals.map((output) => ({
      anchor: this.#anchorBefore(output),
      outputs: [output],
    }));
    return new Fusion(this.#program, groups, this.#stored);
  }

  /** Follows the only consumer while it computes element i from elements i. */
  #growEpilogue(anchor: number): void {
    let last = anchor;
    this.#anchorOf.set(anchor, anchor);
    while (!this.#outputs.has(last) && this.#consumers[last].length === 1) {
      const next = this.#consumers[last][0];
      const step = this.#steps[next];
      if (!step.op?.linear || this.#anchorOf.has(next)) break;
      this.#anchorOf.set(next, anchor);
      last = next;
    }
    this.#stored.add(last);
  }

  /** Stores pointwise steps that would be computed too often, consumers first. */
  #storeShared(): void {
    const work = this.#work();
    const readers = this.#steps.map(() => new Map<number, number>());
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i];
      if (!this.#anchorOf.has(i) && this.#mustStore(step, work[i], readers[i])) this.#stored.add(i);
      this.#spread(i, readers);
    }
  }

  #mustStore(step: Step, work: number, readers: ReadonlyMap<number, number>): boolean {
    if (step.op?.cost === 0) return false;
    if (work > Math.min(...readers.values())) return true;
    return readers.size > 1 && work > RECOMPUTE_COST;
  }

  /** Tells a step's inputs which kernels read them and what those accept to recompute. */
  #spread(i: number, readers: Map<number, number>[]): void {
    const step = this.#steps[i];
    const own = this.#anchorOf.get(i) ?? (this.#stored.has(i) ? i : null);
    for (const input of step.inputs) {
      const add = (group: number, budget: number) => {
        readers[input].set(group, Math.min(budget, readers[input].get(group) ?? budget));
      };
      if (step.op?.form.kind === "kernel") add(i, step.op.form.prologueCost);
      else if (own !== null) add(own, GROUP_COST);
      else for (const [group, budget] of readers[i]) add(group, budget);
    }
  }

  /** An upper bound of each step's cost per element, counting what is fused into it. */
  #work(): number[] {
    const work: number[] = [];
    this.#steps.forEach((step, i) => {
      const { op } = step;
      const fused = step.inputs.reduce((sum, j) => sum + (this.#stored.has(j) ? 0 : work[j]), 0);
      const isFused = op && isPointwise(step) && !this.#anchorOf.has(i);
      work[i] = isFused ? Math.min(costOf(op) + fused, 1e6) : 0;
    });
    return work;
  }

  /** Steps that a kernel of their own stores. */
  #finals(): number[] {
    return [...this.#stored].filter((i) => this.#steps[i].op);
  }

  /** Stores more steps until no kernel reads too many; what one group stores, all of them read. */
  #splitLarge(): void {
    for (let isSplit = true; isSplit; ) {
      isSplit = false;
      for (const output of this.#finals()) {
        const anchor = this.#anchorBefore(output);
        if (this.#inputs(output, anchor) <= this.inputLimit) continue;
        this.#store(this.#cutPoint(output, anchor));
        isSplit = true;
      }
    }
  }

  /** Stores a step; what came behind it in an epilogue becomes pointwise on its own. */
  #store(cut: number): void {
    this.#stored.add(cut);
    for (const step of this.#chain(this.#anchorBefore(cut))) {
      if (step > cut) this.#anchorOf.delete(step);
    }
  }

  #anchorBefore(output: number): number | null {
    return this.#anchorOf.get(output) ?? null;
  }

  /** An anchor and the steps behind it, in order. */
  #chain(anchor: number | null): number[] {
    return [...this.#anchorOf.keys()].filter((step) => this.#anchorOf.get(step) === anchor);
  }

  /** How many values a group's kernel reads; the last of several stages also reads the one before. */
  #inputs(output: number, anchor: number | null): number {
    const all = this.#leaves(output, anchor).length;
    return anchor === null ? all : Math.max(all, this.#leaves(output, anchor, true).length + 1);
  }

  /** Stored steps that a group reads, or only those that its epilogue reads. */
  #leaves(output: number, anchor: number | null, isEpilogue = false): number[] {
    const isLeaf = (i: number) => i !== output && this.#stored.has(i);
    const before = (i: number) =>
      isLeaf(i) || (isEpilogue && i === anchor) ? [] : this.#steps[i].inputs;
    return [...postorder([output], before)].filter(isLeaf);
  }

  /** The fused step whose storing takes most inputs away without having too many itself. */
  #cutPoint(output: number, anchor: number | null): number {
    let best = -1;
    let most = 1;
    const visit = (i: number): void => {
      for (const input of this.#steps[i].inputs) {
        if (this.#stored.has(input)) continue;
        const onPath = this.#anchorOf.get(input) === anchor;
        const count = onPath ? 0 : this.#leaves(input, null).length;
        if (count > most && count <= this.inputLimit) {
          best = input;
          most = count;
        }
        visit(input);
      }
    };
    visit(output);
    if (best >= 0) return best;
    // Only epilogues get here: no op has more inputs than a kernel may read.
    const chain = this.#chain(anchor as number);
    return chain[chain.indexOf(output) - 1];
  }
}
