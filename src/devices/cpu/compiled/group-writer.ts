import type { Group } from "../../../engine/fusion.ts";
import type { Step } from "../../../engine/program.ts";
import { type Access, Addresses } from "./addresses.ts";
import { FunctionWriter, I32 } from "./assembler.ts";
import type { Share } from "./blocks.ts";
import { CountedPlaces } from "./counted-places.ts";
import { GroupElements, type Results } from "./elements.ts";
import {
  type GroupCode,
  type GroupContext,
  type GroupScope,
  isShared,
  type KeptMemory,
} from "./group-code.ts";
import { ADD, SHIFT_LEFT } from "./instructions.ts";
import { LaneWriter } from "./lane-scalars.ts";
import type { TurnedTiles } from "./tiles.ts";
import { type Vector, VectorBody } from "./vector-body.ts";

/** Writes the function of a group: of its own loops, and of stretches of code in them. */
export class GroupWriter implements GroupScope {
  readonly f: FunctionWriter;
  readonly program: readonly Step[];
  /** Parameters with the addresses of the memory of its steps, and then of memory of its own. */
  readonly #parameters: readonly (typeof I32)[];

  /**
   * @param steps those in whose memory the group reads and writes, each once.
   * @param f its function; one that is forgotten when left out.
   */
  constructor(
    readonly context: GroupContext,
    readonly group: Group,
    readonly steps = stepsIn(context, group),
    f?: FunctionWriter,
    /** A thread's share of its outermost loop, where that is shared out. */
    readonly share?: Share,
  ) {
    this.program = context.schedule.program.steps;
    this.#parameters = [...steps, 0].map(() => I32);
    this.f = f ?? new FunctionWriter(this.#parameters);
  }

  /** The parameter with the address of memory of its own. */
  get scratch(): number {
    return this.steps.length;
  }

  /** The same group in a function that nothing is written in yet. */
  again(): GroupWriter {
    return new GroupWriter(this.context, this.group, this.steps);
  }

  /**
   * Begins the function of the group, whose outermost loop has so many units, which threads share
   * where it takes long enough.
   * @param flopTime nanoseconds that an operation of its kernel takes, roughly.
   */
  begin(units: number, flopTime?: number): GroupWriter {
    const { context, group, steps } = this;
    if (!isShared(context, group, units, flopTime)) return this.again();
    const from = steps.length + 1;
    const f = new FunctionWriter([...this.#parameters, I32, I32]);
    return new GroupWriter(context, group, steps, f, { from, to: from + 1 });
  }

  /** Its code, with so many bytes of memory of its own, and of so many units where it is shared out. */
  code(scratch: number, units = 0, isKept = false): GroupCode {
    const { f, steps, share } = this;
    return { function: f, steps, scratch, isKept, units: share && units };
  }

  /**
   * Begins a stretch of code.
   * @param counts how many of the four lanes are stored, of each of the vectors that it computes.
   * @param inner the local that counts within the stretch, if there is one.
   * @param memory where code may keep what it computes, if there is any.
   * @param tiles those that the vectors are computed in, where there are four.
   */
  stretch(
    counts: readonly number[],
    inner?: number,
    memory?: KeptMemory,
    tiles?: TurnedTiles,
  ): Stretch {
    return new Stretch(this, counts, inner, memory, tiles);
  }

  /** A body of values that reads nothing. */
  body(): VectorBody {
    return new VectorBody(this.f, this.context.isFused);
  }

  /** Leaves the address of a word on the stack, as many from one in a local on as another says. */
  word(base: number, index: number, shift = 2): FunctionWriter {
    return this.f.get(base).get(index).i32(shift).emit(SHIFT_LEFT, ADD);
  }
}

/** A stretch of code in which a group's elements are values. */
export class Stretch {
  readonly body: VectorBody;
  readonly writer: LaneWriter;
  readonly places: CountedPlaces;
  /** Elements for each of the vectors that it computes. */
  readonly all: readonly GroupElements[];
  readonly #addresses: Addresses;

  constructor(
    scope: GroupWriter,
    counts: readonly number[],
    inner?: number,
    memory?: KeptMemory,
    tiles?: TurnedTiles,
  ) {
    const { f, context, steps } = scope;
    this.body = scope.body();
    this.writer = new LaneWriter(this.body, memory);
    this.places = new CountedPlaces(f, this.body, inner);
    const pointers = new Map(steps.map((step, i) => [step, i]));
    this.#addresses = new Addresses(f, context.schedule, pointers, inner);
    const { writer, places } = this;
    this.all = counts.map((count, part) => {
      const tile = tiles && ([tiles, part] as const);
      return new GroupElements(scope, writer, places, this.#addresses, count, tile);
    });
  }

  /** Those of the first vector. */
  get elements(): GroupElements {
    return this.all[0];
  }

  /** Where elements lie that are read or written, but for those that are looked for lane by lane. */
  get accesses(): readonly Access[] {
    return this.#addresses.accesses;
  }

  /** Whether all that is read lies where loops count. */
  get isCounted(): boolean {
    return (
      !this.all.some(({ isGathered }) => isGathered) &&
      this.accesses.every(({ values }) => values.length === 0)
    );
  }

  /** Writes, before a loop, what is the same in all of it. */
  prepare(roots: readonly Vector[]): void {
    this.#addresses.start();
    this.body.prepare(roots);
  }

  /** Writes what computes values, where no loop was prepared; gives the locals that they lie in then. */
  emit(roots: readonly Vector[]): number[] {
    this.#addresses.start();
    return this.body.emit(roots);
  }

  /** Writes what computes results and stores them, where no loop was prepared. */
  finish({ roots, store }: Results): void {
    store(this.emit(roots));
  }
}

/** The steps in whose memory a group reads and writes, each once. */
function stepsIn({ schedule }: GroupContext, group: Group): number[] {
  const all = [...group.reads.keys(), ...group.outputs];
  return [...new Set(all.map((step) => schedule.homes.get(step) ?? step))];
}
