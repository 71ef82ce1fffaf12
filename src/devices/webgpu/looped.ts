import { getOrInsert } from "../../core/get-or-insert.ts";
import {
  hasLoops,
  isLoop,
  type LoopBody,
  type LoopPart,
  loopParts,
  type Turn,
} from "../../engine/loop.ts";
import { planMemory } from "../../engine/memory-plan.ts";
import type { PlanOptions } from "../../engine/plan.ts";
import type { Program, Step, Update } from "../../engine/program.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import { identity } from "../../graph/identity.ts";
import type { Op } from "../../graph/op.ts";
import { type BufferStorage, GRANULE } from "./buffers.ts";
import type { KernelCode } from "./codegen.ts";
import type { Job } from "./jobs.ts";
import { putRow, rowOfTurn } from "./row-ops.ts";
import type { Pass } from "./submit-queue.ts";
import { stepBytes } from "./transfer.ts";
import {
  type DispatchTurns,
  type EncodeOne,
  type Hardware,
  type WrittenProgram,
  writeApart,
} from "./write.ts";

/** A dispatch of a kernel, and the row that it is given; none where it is in no loop yet. */
interface Turned {
  readonly kernel: number;
  readonly row: number;
}

const NO_ROW = -1;

/** Stands for the number of the row that a turn is at, among the keys of values. */
const COUNTER = 2 ** 31;

/** Dispatches the kernels of a program with loops. */
class LoopTurns implements DispatchTurns {
  readonly #offsets: readonly (number[] | undefined)[];
  /** From which byte on the numbers of rows lie among a plan's words, in a granule each. */
  #from = 0;
  #bound: readonly [BufferStorage, BufferStorage] | null = null;

  constructor(
    readonly order: readonly Turned[],
    readonly rows: number,
    codes: readonly KernelCode[],
  ) {
    const isMoving = codes.map(({ bindings }) => bindings.some((one) => one.isMoving));
    this.#offsets = order.map(({ kernel, row }) => {
      return isMoving[kernel] ? [GRANULE * row] : undefined;
    });
  }

  get length(): number {
    return this.order.length;
  }

  find(words: number[]): void {
    this.#from = 4 * words.length;
    for (let row = 0; row < this.rows; row++) words[(this.#from + GRANULE * row) / 4] = row;
  }

  bound([words]: readonly BufferStorage[]): readonly BufferStorage[] {
    if (!words) return [];
    if (this.#bound?.[0] !== words) {
      // It lies in the same buffer, wherever that goes.
      const row = Object.create(words, { offset: { value: this.#from }, bytes: { value: 4 } });
      this.#bound = [words, row];
    }
    return [this.#bound[1]];
  }

  encode(pass: Pass, encodeOne: EncodeOne): void {
    for (let i = 0; i < this.order.length; i++) {
      encodeOne(pass, this.order[i].kernel, this.#offsets[i]);
    }
  }
}

/**
 * Writes a program with loops: the kernels of its parts one behind the other, those of a turn once,
 * which are dispatched for each turn. Carries have two buffers, one that a turn reads and one that it
 * writes, so that no turn copies; kernels find their rows by a number that is bound by its offset.
 */
export function writeLooped(
  program: Program,
  host: Hardware,
  options: PlanOptions,
): WrittenProgram {
  const writer = new LoopedWriter(program, host, options);
  return writer.written();
}

/** Writes a program by whatever writes such programs. */
function writeAny(program: Program, host: Hardware, options: PlanOptions): WrittenProgram {
  return (hasLoops(program) ? writeLooped : writeApart)(program, host, options);
}

class LoopedWriter {
  readonly #codes: KernelCode[] = [];
  readonly #jobs: (readonly Job[])[] = [];
  readonly #schedules: KernelSchedule[] = [];
  readonly #order: Turned[] = [];
  /** How many rows there may be. */
  #rows = 0;
  /** Bytes of values that are no steps, by their keys, which follow those of steps. */
  readonly #own: number[] = [];
  /** The first and the last kernel that needs a value. */
  readonly #spans = new Map<number, [first: number, last: number]>();

  constructor(
    readonly program: Program,
    readonly host: Hardware,
    readonly options: PlanOptions,
  ) {
    for (const part of loopParts(program)) {
      if (isLoop(part)) {
        this.#addLoop(part);
        continue;
      }
      const written = writeAny(part.program, host, options);
      const keys = [...part.sources, ...part.outputs, ...this.#make(written.sizes)];
      this.#order.push(...this.#add(written, keys));
    }
  }

  written(): WrittenProgram {
    const { program } = this;
    const given = [...program.sources, ...program.outputs];
    const places = new Map(given.map((step, i) => [step, i]));
    const values = [...this.#spans]
      .filter(([key]) => !places.has(key))
      .map(([key, [first, last]]) => ({ key, bytes: this.#bytesOf(key), first, last }));
    const { slots, sizes } = planMemory(values);
    for (const [key, slot] of slots) places.set(key, given.length + slot);
    places.set(COUNTER, given.length + sizes.length);
    return {
      schedule: this.#schedules[0],
      schedules: this.#schedules,
      jobs: this.#jobs,
      codes: this.#codes,
      values,
      sizes,
      places,
      turns: new LoopTurns(this.#order, this.#rows, this.#codes),
    };
  }

  #bytesOf(key: number): number {
    const { length } = this.program.steps;
    return key < length ? stepBytes(this.program, key) : this.#own[key - length];
  }

  /** Gives keys to values of so many bytes. */
  #make(sizes: readonly number[]): number[] {
    return sizes.map((bytes) => this.program.steps.length + this.#own.push(bytes) - 1);
  }

  /** Notes that a value is needed from one kernel to another. */
  #need(key: number, first: number, last: number): void {
    if (key === COUNTER) return;
    const span = getOrInsert(this.#spans, key, () => [first, last]);
    span[0] = Math.min(span[0], first);
    span[1] = Math.max(span[1], last);
  }

  /** Adds the kernels of a program whose buffers are values of this one; gives their dispatches. */
  #add(written: WrittenProgram, keys: readonly number[]): Turned[] {
    const { codes, jobs, places, schedule, schedules } = written;
    const turns = written.turns as LoopTurns | undefined;
    const first = this.#codes.length;
    this.#rows = Math.max(this.#rows, turns?.rows ?? 0);
    for (const [i, { code, bindings, ...kernel }] of codes.entries()) {
      const own = bindings.map((one) => {
        const place = places.get(one.key) as number;
        const key = keys[place] ?? COUNTER;
        this.#need(key, first + i, first + i);
        return key === COUNTER ? { ...one, key, isMoving: true } : { ...one, key };
      });
      // Its layout is another one than that of a kernel with the same code outside of loops.
      const isCounted = own.some((one) => one.key === COUNTER) && !code.endsWith(MARK);
      this.#codes.push({ ...kernel, code: isCounted ? code + MARK : code, bindings: own });
      this.#jobs.push(jobs[i]);
      this.#schedules.push(schedules?.[i] ?? schedule);
    }
    const order = turns?.order ?? codes.map((_, kernel) => ({ kernel, row: NO_ROW }));
    return order.map(({ kernel, row }) => ({ kernel: first + kernel, row }));
  }

  /** Adds what copies values to others, which turns change in place. */
  #copy(pairs: readonly (readonly [from: number, to: number])[]): void {
    if (pairs.length === 0) return;
    const steps = pairs.flatMap(([from], i): Step[] => {
      const { shape, dtype } = this.program.steps[from];
      const source = { op: null, attributes: {}, inputs: [], shape, dtype };
      return [source, { op: identity, attributes: {}, inputs: [2 * i], shape, dtype }];
    });
    const sources = pairs.map((_, i) => 2 * i);
    const outputs = pairs.map((_, i) => 2 * i + 1);
    const written = writeApart({ steps, sources, outputs, updates: [] }, this.host);
    const keys = [...pairs.map(([from]) => from), ...pairs.map(([, to]) => to)];
    this.#order.push(...this.#add(written, [...keys, ...this.#make(written.sizes)]));
  }

  #addLoop(part: LoopPart): void {
    const { body, turn, inputs, results } = part;
    const { constants, carries, length, isReversed } = body;
    const { program, reads, inPlace } = inRows(body, turn);
    const written = writeAny(program, this.host, this.options);
    /** Where the value of a carry is behind a turn: in its result behind the last one. */
    const homes = new Map<number, readonly [number, number]>();
    const rows = new Map<number, number>();
    turn.results.forEach((result, i) => {
      const step = turn.program.outputs[i];
      const bytes = stepBytes(turn.program, step);
      const isCarry = result < carries;
      const key = results.get(result) ?? this.#make([isCarry ? bytes : length * bytes])[0];
      if (isCarry && !inPlace.has(result)) homes.set(result, [key, this.#make([bytes])[0]]);
      else rows.set(result, key);
    });
    const slots = this.#make(written.sizes);
    const homeAfter = (carry: number, t: number) =>
      (homes.get(carry) as readonly [number, number])[(length - 1 - t) % 2];
    /** The buffers of a turn. */
    const keysOf = (t: number): number[] => {
      const sources = reads.map((read) => {
        if (read === "row") return COUNTER;
        if ("result" in read) return rows.get(read.result) as number;
        const carry = read.input - constants;
        const isCarry = carry >= 0 && carry < carries;
        return isCarry && t > 0 ? homeAfter(carry, t - 1) : inputs[read.input];
      });
      const given = turn.results.filter((result) => homes.has(result));
      return [...sources, ...given.map((carry) => homeAfter(carry, t)), ...slots];
    };
    this.#copy([...inPlace].map((carry) => [inputs[constants + carry], rows.get(carry) as number]));
    const begin = this.#codes.length;
    // The first turn reads what the carries begin with; two others take turns.
    const kinds = homes.size === 0 ? 1 : Math.min(3, length);
    const variants = Array.from({ length: kinds }, (_, t) => this.#add(written, keysOf(t)));
    for (let t = 0; t < length; t++) {
      const variant = t < kinds ? t : kinds === 1 ? 0 : 2 - (t % 2);
      const row = isReversed ? length - 1 - t : t;
      for (const one of variants[variant]) {
        this.#order.push(one.row === NO_ROW ? { kernel: one.kernel, row } : one);
      }
    }
    const end = this.#codes.length - 1;
    this.#rows = Math.max(this.#rows, length);
    for (let t = 0; t < kinds; t++) for (const key of keysOf(t)) this.#need(key, begin, end);
  }
}

/** Tells kernels that are given a row from others. */
const MARK = "\n// is given a row\n";

/** What a turn's program reads: the number of its row, an input of the op, or rows of a result. */
type Read = "row" | { readonly input: number } | { readonly result: number };

/** A turn's program with whole tensors in the place of their rows, and what it reads. */
function inRows({ constants, carries, length }: LoopBody, { program, sources, results }: Turn) {
  const steps: Step[] = [];
  const own: number[] = [];
  const reads: Read[] = [];
  const add = (step: Step) => steps.push(step) - 1;
  const read = (what: Read, { shape, dtype }: Pick<Step, "shape" | "dtype">) => {
    reads.push(what);
    own.push(add({ op: null, attributes: {}, inputs: [], shape, dtype }));
    return own[own.length - 1];
  };
  const apply = (op: object, inputs: readonly number[], { shape, dtype }: Step) =>
    add({ op: op as Op, attributes: {}, inputs, shape, dtype });
  const whole = (step: Step) => ({ ...step, shape: [length, ...step.shape] });
  const row = read("row", { shape: [], dtype: "u32" });
  const inPlace = addedUp(
    program,
    sources,
    constants,
    results.filter((result) => result < carries),
  );
  const renamed: number[] = [];
  let next = 0;
  program.steps.forEach((step, i) => {
    if (step.op) {
      renamed[i] = add({ ...step, inputs: step.inputs.map((input) => renamed[input]) });
      return;
    }
    const input = sources[next++];
    const isRow = input >= constants + carries;
    renamed[i] = isRow
      ? apply(rowOfTurn, [read({ input }, whole(step)), row], step)
      : read(inPlace.has(input - constants) ? { result: input - constants } : { input }, step);
  });
  const outputs: number[] = [];
  const updates: Update[] = [];
  results.forEach((result, i) => {
    const value = renamed[program.outputs[i]];
    if (inPlace.has(result)) {
      const step = program.sources[sources.indexOf(constants + result)];
      updates.push({ source: renamed[step], value });
      return;
    }
    if (result < carries) {
      outputs.push(value);
      return;
    }
    const all = whole(program.steps[program.outputs[i]]);
    const source = read({ result }, all);
    updates.push({ source, value: apply(putRow, [source, row, value], all) });
  });
  return { program: { steps, sources: own, outputs, updates }, reads, inPlace };
}

/** The carries that nothing reads but what makes their next values, element by element. */
function addedUp(
  { steps, sources: own, outputs }: Program,
  sources: readonly number[],
  constants: number,
  carries: readonly number[],
): ReadonlySet<number> {
  const isAdded = (carry: number, i: number) => {
    const source = own[sources.indexOf(constants + carry)];
    const readers = steps.filter(({ inputs }) => inputs.includes(source));
    return readers.length === 1 && readers[0] === steps[outputs[i]] && readers[0].op?.linear;
  };
  return new Set(carries.filter(isAdded)); // they are the first results
}
